"""PostgreSQL of Debian, with the paths, user id, variables and start of the official image."""

from images.builder import Image

IMAGE = Image(name="postgres")
