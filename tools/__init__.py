"""What builds, serves and checks the course; not part of the installed package."""
