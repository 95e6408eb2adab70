"""Work in steps, each done by a model or by a person: translations, briefings, and your own."""
