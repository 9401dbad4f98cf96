"""What goes wrong with leases, what an operator sees, and which test has it: the source of `docs/leases.md`.

`python -m tests.leases.cases` writes the page; a test verifies that it is up to date and that every named test exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from components.targets.akash.market.lost import TABLE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "leases.md"


@dataclass(frozen=True)
class Case:
    """One fault: what is seen, what happens by itself, what to do, and the test that CI runs (`file::name`)."""

    fault: str
    seen: str
    itself: str
    do: str
    test: str


_RESOURCE = "tests/contract/test_deployment_resource.py"
_CONSOLE = "tests/contract/test_console_untrusted.py"
_RAIL = "tests/contract/test_console_rail.py"
_DECIDE = "tests/pure/test_lease_decide.py"
_ENGINE = "tests/engine/test_leases.py"
_CONTENT = "tests/engine/test_new_content.py"
_TROUBLE = "tests/engine/test_trouble.py"

CASES = (
    Case(
        "A provider closes the lease",
        "`deployment … is lost: …`",
        "the next `pulumi up` rents again, moves the record, and closes the old deployment",
        "run `pulumi up --refresh` on a timer",
        f"{_RESOURCE}::test_a_lost_lease_is_marked_replaced_and_leaves_nothing_open",
    ),
    Case(
        "A provider does not answer",
        "`the provider of deployment … does not answer; it is kept`",
        "nothing: what runs there may serve. Without visitors for three minutes it counts as lost",
        "nothing",
        f"{_RESOURCE}::test_a_silent_provider_loses_nothing_and_is_taken_back_when_it_speaks",
    ),
    Case(
        "A provider gives the notice that it promised",
        "`deployment … is lost: … is taking it back`",
        "it serves until its deadline, and the next `pulumi up` rents again before it is closed",
        "run `pulumi up --refresh` on a timer",
        f"{_ENGINE}::test_a_lease_that_is_reclaimed_while_it_is_made_leaves_one_deployment",
    ),
    Case(
        "The escrow of a lease is used up",
        "`pulumi up --refresh` finds it deleted, and makes it again",
        "the next `pulumi up` rents again",
        "add credit; `unmoor akash list` shows for how many days each lease is paid",
        f"{_TROUBLE}::test_deployments_whose_escrow_ran_out_are_rented_again_each_once",
    ),
    Case(
        "A replacement never gets well",
        "`… is not well after … s: …`",
        "records and health checks stay with the site that stood, and failover goes on",
        "correct what the sentence names and run `pulumi up` again",
        f"{_CONTENT}::test_a_failed_replacement_leaves_failover_as_it_was",
    ),
    Case(
        "A stranger is given the address of a lease that ended",
        "`not well` in `unmoor status`, with its certificate or its answer",
        "health checks find no mark of the site there, and visitors are led to the other site",
        "`pulumi up --refresh`",
        f"{_CONTENT}::test_a_stranger_at_the_address_of_a_site_who_answers_everything_is_not_healthy",
    ),
    Case(
        "A lease is lost, and the lowest bid is of an operator that it must not share",
        "`from the provider of a deployment to be apart from`, if there is no other bid",
        "the next bid is taken; sites, name servers and what stands are never with one operator",
        "nothing, or raise the ceiling",
        "tests/leases/test_apart.py::test_a_lost_lease_is_rented_anew_apart_from_a_site_that_has_the_lowest_bidder",
    ),
    Case(
        "A lease that was lost is back",
        "`deployment … is back, and is kept`",
        "it is kept instead of replaced",
        "nothing",
        f"{_RESOURCE}::test_a_lease_that_is_back_is_kept_instead_of_replaced",
    ),
    Case(
        "A provider is silent and another step fails",
        "the failed step",
        "nothing that serves is closed, in that run or in a later one",
        "correct the step and run it again",
        f"{_ENGINE}::test_a_silent_provider_and_a_failed_run_close_nothing_that_serves",
    ),
    Case(
        "An update is killed",
        "`the stack is currently locked`",
        "the next run goes on with the deployment that was opened",
        "`pulumi cancel`, then `pulumi up`",
        f"{_RESOURCE}::test_killed_and_run_again_it_reaches_the_same_end_with_one_deployment",
    ),
    Case(
        "A kill or a loss of power cut a file of the state off",
        "`failed to load checkpoint`",
        "nothing: the engine reads no state until it is mended",
        "`unmoor mend`, then `pulumi cancel` and `pulumi up --refresh`",
        f"{_ENGINE}::test_a_truncated_state_is_repaired_and_no_lease_is_lost",
    ),
    Case(
        "A killed update is rolled back",
        "`deployment … bears this stack's mark and no resource has it`",
        "`pulumi up` closes it",
        "nothing",
        f"{_ENGINE}::test_a_killed_run_that_is_rolled_back_leaves_nothing",
    ),
    Case(
        "A record still leads to a deployment that would be closed",
        "`deployment … stays open: HOST leads to it`",
        "it stays open, and the next run tries again",
        "point the record elsewhere: a plain `pulumi up` does",
        f"{_RESOURCE}::test_nothing_is_closed_while_a_record_leads_to_it_or_while_that_is_unknown",
    ),
    Case(
        "A killed update made a record that the state does not know",
        "`deployment … stays open: HOST leads to it`",
        "it stays open, and the next run tries again",
        "`pulumi up` with the settings that were interrupted takes the record; with others, delete it first",
        f"{_ENGINE}::test_a_record_that_the_state_does_not_know_keeps_its_lease_open",
    ),
    Case(
        "`pulumi up --target` of a deployment",
        "`deployment … stays open: HOST leads to it`",
        "the old one serves on",
        "run `pulumi up` for the whole stack",
        f"{_ENGINE}::test_an_update_of_the_deployment_alone_does_not_close_what_the_record_leads_to",
    ),
    Case(
        "Neither the zone's authority nor its name servers answer",
        "`a record may lead to it`",
        "the deployment stays open",
        "`unmoor akash close DSEQ`, if no record leads there",
        f"{_RESOURCE}::test_nothing_is_closed_while_a_record_leads_to_it_or_while_that_is_unknown",
    ),
    Case(
        "The key is of another account",
        "`deployment … belongs to …`",
        "nothing is forgotten",
        "export a key of the account that owns it",
        f"{_ENGINE}::test_a_key_of_another_account_forgets_and_closes_nothing",
    ),
    Case(
        "Two projects or stacks use one account",
        "nothing",
        "each sees its own deployments only",
        "nothing",
        f"{_ENGINE}::test_two_projects_with_one_stack_name_never_touch_each_others",
    ),
    Case(
        "The Console's reads lag",
        "`wait until the market shows deployment …`",
        "what was opened is waited for, and nothing is opened twice",
        "nothing",
        f"{_ENGINE}::test_reads_that_lag_open_nothing_twice",
    ),
    Case(
        "The Console knows no names or hashes",
        "`wait until the market shows the names of …`",
        "unknown is not taken for another",
        "nothing",
        f"{_RAIL}::test_a_name_that_the_console_does_not_know_is_counted_as_unknown_and_never_as_another",
    ),
    Case(
        "An update is taken and changes nothing",
        "both hashes",
        "the run ends, and what runs is left as it is",
        "report the document",
        f"{_DECIDE}::test_an_update_that_succeeded_and_changed_nothing_ends_with_both_hashes",
    ),
    Case(
        "A lease costs more than its ceiling",
        "`over its ceiling of $…`",
        "nothing is recorded",
        "ask the Console's support: the chain takes no such bid",
        f"{_CONSOLE}::test_a_price_over_the_ceiling_is_refused_where_it_is_read",
    ),
    Case(
        "A provider gives an address that is not public",
        "`which is no public IPv4 address`",
        "it never enters outputs or the zone",
        "avoid the provider",
        f"{_CONSOLE}::test_only_a_public_address_is_an_address",
    ),
    Case(
        "The account is a trial",
        "`a trial, whose deployments are closed after 24 hours`",
        "nothing is opened",
        "add credit to the account",
        f"{_CONSOLE}::test_a_trial_is_refused_before_anything_is_opened",
    ),
    Case(
        "No provider bids",
        "`without … could bid`",
        "the deployment is closed again",
        "drop or loosen the demand that excludes most",
        "tests/pure/test_market_screening.py::test_the_sentence_names_what_each_demand_excludes",
    ),
)


def page() -> str:
    """Return the page in Markdown."""
    lines = [
        "# When something goes wrong with a lease",
        "",
        "<!-- Made by `python -m tests.leases.cases`. -->",
        "",
        "Each row is a case that the tests run.",
        "",
        "| What happens | What you see | What happens by itself | What to do |",
        "|---|---|---|---|",
        *(f"| {each.fault} | {each.seen} | {each.itself} | {each.do} |" for each in CASES),
        "",
        "## What counts as a lost lease",
        "",
        "| Sign | Lost after | Why |",
        "|---|---|---|",
        *(f"| {each.sign} | {each.after_s:.0f} s | {each.why} |" for each in TABLE),
        "",
        "A provider's silence alone is not in the table: what visitors are served from is not lost.",
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
