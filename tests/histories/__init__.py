"""Histories of the writer's protocol: sites, a store and faults in virtual time, and a checker of what was written.

The library's own code keeps the record in a real store. Only time, the network and the database are simulated.
"""
