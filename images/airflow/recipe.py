"""Airflow from the Python package index, on the system's Python, laid out as in the official image."""

from images.builder import Image

IMAGE = Image(name="airflow")
