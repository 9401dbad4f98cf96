"""Everything AWS: the target and its building blocks."""

from ...target import Target

TARGET = Target("aws", company="AWS")
