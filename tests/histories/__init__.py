"""Histories of the writer's protocol: sites, a store and faults in virtual time, and a checker of what was written.

The record is kept by the library's own code in a real store; only time, the network and the database are simulated.
"""
