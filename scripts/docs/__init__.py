"""Writes the pages of docs/ that are made from code, so that they cannot say anything else."""
