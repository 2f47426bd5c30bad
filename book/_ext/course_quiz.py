"""Self-checks: ``{quiz}`` with native radio buttons or a number field, and feedback that says why.

The body is YAML. A choice question lists its choices, each with the reason why it is right or wrong:

    question: Which size tiles?
    choices:
      - text: 224
        why: The windows end one pixel early.
      - text: 227
        why: 216 is a multiple of 4.
        right: true

A number question gives the answer as an expression that ``course_numbers`` computes when the
book is built; answers that learners tend to give get feedback of their own, also as expressions:

    question: How many positions?
    number: shapes.output_size(64, 5)
    right: The window starts at pixels 0 to 59.
    wrong:
      - value: 64 - 5
        why: The first position counts as well.
    otherwise: Count the positions of the first pixel under the window.
"""

from hashlib import sha256
from html import escape

import yaml
from course_numbers import compute
from docutils import nodes
from sphinx.util.docutils import SphinxDirective


def _premises(quiz) -> list[str]:
    """What a self-check sets or computes: its feedback may use these numbers."""
    expressions = [quiz["number"]] if "number" in quiz else []
    expressions += [wrong["value"] for wrong in quiz.get("wrong", ())]
    asked = [quiz["question"], *(choice["text"] for choice in quiz.get("choices", ()))]
    return [str(x) for x in (*asked, *expressions, *map(compute, expressions))]


class QuizDirective(SphinxDirective):
    has_content = True

    def run(self):
        quiz = yaml.safe_load("\n".join(self.content))
        serial = self.env.new_serialno("quiz") + 1
        # The reader's progress goes by this name: it changes with the question and with nothing else.
        page = self.env.docname.rsplit("/", 1)[-1].replace("_", "-")
        self.identity = f"quiz-{page}-{sha256(str(quiz['question']).encode()).hexdigest()[:8]}"
        self.env.course_quizzes.setdefault(self.env.docname, []).append(self.identity)
        build = self._number if "number" in quiz else self._choice
        start = self._html(
            f'<form class="quiz" id="{self.identity}" data-kind="{"number" if "number" in quiz else "choice"}" autocomplete="off"><fieldset><legend>'
            f'<span class="quiz-label">Self-check {serial}</span>'
        )
        start["accounts"] = _premises(quiz)  # see course_numbers
        return [
            start,
            *self._text(quiz["question"]),
            self._html("</legend>"),
            *build(quiz),
            self._html(
                '<div class="quiz-actions"><button type="submit">Check</button></div>'
                '<div class="quiz-status" role="status"></div></fieldset></form>'
            ),
        ]

    def _html(self, text):
        return nodes.raw("", text, format="html")

    def _text(self, text):
        """The inline content of a one-paragraph text, so that formulas and code work in it."""
        paragraph = nodes.inline()
        for node in self.parse_text_to_nodes(str(text)):
            paragraph.extend(node.children if isinstance(node, nodes.paragraph) else [node])
        return [paragraph]

    def _feedback(self, right: bool, why: str, attributes: str):
        verdict = "Right." if right else "Not quite."
        return [
            self._html(
                f'<div class="quiz-why" data-right="{str(right).lower()}" {attributes} hidden><strong>{verdict}</strong> '
            ),
            *self._text(why),
            self._html("</div>"),
        ]

    def _choice(self, quiz):
        parts = []
        for i, choice in enumerate(quiz["choices"]):
            right = bool(choice.get("right"))
            parts += [
                self._html(
                    f'<label class="quiz-choice"><input type="radio" name="{self.identity}" value="{i}"> <span>'
                ),
                *self._text(choice["text"]),
                self._html("</span></label>"),
                *self._feedback(right, choice["why"], f'data-for="{i}"'),
            ]
        answer = next(str(choice["text"]) for choice in quiz["choices"] if choice.get("right"))
        return [*parts, *self._fallback(answer, quiz)]

    def _number(self, quiz):
        answer = compute(quiz["number"])
        parts = [
            self._html(
                f'<label class="quiz-number">Your answer <input type="text" inputmode="decimal" size="10" data-answer="{answer}"></label>'
            ),
            *self._feedback(True, quiz["right"], f'data-for="{answer}"'),
        ]
        for wrong in quiz.get("wrong", ()):
            value = compute(wrong["value"])
            if value == answer:
                raise self.error(
                    f"the wrong answer {wrong['value']!r} equals the right one, {answer}"
                )
            parts += self._feedback(False, wrong["why"], f'data-for="{escape(str(value))}"')
        parts += self._feedback(False, quiz["otherwise"], 'data-for="otherwise"')
        return [*parts, *self._fallback(str(answer), quiz)]

    def _fallback(self, answer, quiz):
        """Without JavaScript the answer can still be unfolded."""
        why = quiz.get("right") or next(c["why"] for c in quiz["choices"] if c.get("right"))
        return [
            self._html("<noscript><details><summary>Show the answer</summary> "),
            *self._text(f"The answer is {answer}. {why}"),
            self._html("</details></noscript>"),
        ]


def setup(app):
    app.add_directive("quiz", QuizDirective)
    app.add_js_file("quiz.js", loading_method="defer")
    return {"parallel_read_safe": True}
