"""Turn what a DAO runs today into figures for a vote: pure, offline, each figure with its derivation."""
