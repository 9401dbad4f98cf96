"""Who answers for the zone's names: one folder an authority."""
