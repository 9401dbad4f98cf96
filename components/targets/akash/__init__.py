"""Everything Akash: reading documents, renting, and the resource that keeps a deployment."""

#: The variables of the process by which the account is reached; here, so that naming them loads nothing.
URL_VARIABLE, KEY_VARIABLE = "AKASH_CONSOLE_URL", "AKASH_CONSOLE_API_KEY"
