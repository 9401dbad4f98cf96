"""From what a DAO runs today to numbers it can vote on: pure, offline, every figure with its derivation."""
