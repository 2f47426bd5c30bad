"""Diagrams from a shell: ``python -m cnnlib.diagram summary|lint|draw|expand "TEXT or zoo name"``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cnnlib.diagram import zoo
from cnnlib.diagram.expand import expand
from cnnlib.diagram.lint import lint
from cnnlib.diagram.tree import Chain
from cnnlib.errors import CnnlibError, error_at

EXIT = "Exit code 0: all is well. 1: the diagram has an error. 2: the command was not understood."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    # A console or pipe that cannot show × or → gets ? in their place.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        return options.command(options, _text(options.diagram))
    except CnnlibError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cnnlib.diagram",
        description="Work with layer diagrams such as 'INPUT(3, 32, 32) => [CONV(32) => RELU] * 2 => FC(10)'.",
        epilog=EXIT,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, command, help_text in (
        ("summary", _summary, "sizes, parameters, cost, memory and receptive field of every layer"),
        ("lint", _lint, "check against the rules of thumb"),
        ("draw", _draw, "draw the network, with letters or into a file"),
        ("expand", _expand, "write repeats and optional parts out"),
    ):
        one = commands.add_parser(name, help=help_text, description=f"{help_text}.", epilog=EXIT)
        one.set_defaults(command=command)
        one.add_argument(
            "diagram",
            help=f"a diagram, the name of a well-known network ({', '.join(zoo.NAMES)}), or - to read "
            "the diagram from the standard input",
        )
        if name == "lint":
            one.add_argument(
                "--disable",
                metavar="RULE,…",
                default="",
                help="rules to leave out, such as M13.8,M13.9",
            )
        else:
            one.add_argument(
                "values",
                nargs="*",
                type=_value,
                metavar="NAME=VALUE",
                help="numbers for the open names of a pattern: N=2 pool=true",
            )
        if name == "draw":
            one.add_argument(
                "-o",
                "--output",
                type=Path,
                metavar="FILE",
                help="an .svg, .pdf or .png file to write",
            )
    return parser


def _text(diagram: str) -> str:
    if diagram == "-":
        return sys.stdin.read()
    return getattr(zoo, diagram) if diagram in zoo.NAMES else diagram


def _value(word: str) -> tuple[str, int | bool]:
    name, _, value = word.partition("=")
    if value.lower() in ("true", "false"):
        return name, value.lower() == "true"
    try:
        return name, int(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{word!r} is not NAME=VALUE with a whole number, true or false: write N=2 or pool=true"
        ) from None


def _settled(options: argparse.Namespace, text: str) -> str | Chain:
    """The text itself if it has no values to fill in: errors then point into it."""
    return expand(text, **dict(options.values)) if options.values else text


def _summary(options: argparse.Namespace, text: str) -> int:
    from cnnlib.diagram.summary import summarize

    print(summarize(_settled(options, text)))
    return 0


def _expand(options: argparse.Namespace, text: str) -> int:
    print(expand(text, **dict(options.values)))
    return 0


def _draw(options: argparse.Namespace, text: str) -> int:
    from cnnlib.diagram.draw import draw, sketch

    network = _settled(options, text)
    if options.output is None:
        print(sketch(network))
        return 0
    try:
        draw(network).savefig(options.output)
    except (OSError, ValueError) as error:
        if isinstance(error, CnnlibError):
            raise
        print(f"{options.output} cannot be written: {error}", file=sys.stderr)
        return 2
    print(f"Wrote {options.output}.")
    return 0


def _lint(options: argparse.Namespace, text: str) -> int:
    findings = lint(text, [rule for rule in options.disable.split(",") if rule])
    for finding in findings:
        head = f"{finding.severity} {finding.rule}: {finding.message}"
        advice = f"Why: {finding.why}\nInstead: {finding.rewrite}\n"
        print(error_at(text, finding.at, head, advice))
    count = len(findings)
    print(f"{count or 'No'} finding{'' if count == 1 else 's'}.")
    return int(any(finding.severity == "error" for finding in findings))


if __name__ == "__main__":
    sys.exit(main())
