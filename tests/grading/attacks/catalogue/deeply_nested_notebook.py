"""Hands in JSON that is nested 200 000 deep."""

KIND = "notebook"
GAINS = "stop"


def edit(notebook: dict) -> str:
    return '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": ' + "[" * 200_000
