"""Poems with their translations and briefings: what the workflows work on and leave behind."""
