"""Serve the built book on this machine only."""

import argparse
import functools
import http.server
import sys

from tools.build_book import HTML


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="port on 127.0.0.1 (default 8000)")
    port = parser.parse_args().port
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=HTML)
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        print(
            f"Port {port} cannot be used ({error.strerror}): choose another with make serve PORT=8001.",
            file=sys.stderr,
        )
        return 1
    with server:
        print(
            f"The book is on http://127.0.0.1:{server.server_address[1]}/ (Ctrl+C stops it)",
            flush=True,
        )
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
