"""The vendors: one adapter a file, made by `factory.create_provider`."""
