"""Everything Akash: reading documents, renting, and the resource that keeps a deployment."""

from ...target import Target

#: The variables of the process by which the account is reached; here, so that naming them loads nothing.
URL_VARIABLE, KEY_VARIABLE = "AKASH_CONSOLE_URL", "AKASH_CONSOLE_API_KEY"

TARGET = Target("akash", company=None, credentials=(KEY_VARIABLE,), rented=True, several_operators=True)
