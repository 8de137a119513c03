"""Schema changes, one numbered script each, in the form of peewee's own ``playhouse.migrations``.

A script is a frozen copy of what the tables were: it imports nothing from this project but column types.
"""
