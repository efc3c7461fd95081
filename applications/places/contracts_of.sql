-- The contracts of vacancies (their keys), those that have ended, too: the vacancy, whether the bid holds a place of it,
-- when the contract was signed, the day on which the child left, when that was entered, and when it last moved to another group.
--
-- It is asked under the lock of a group. Each step looks up, by an index, what belongs to one row of the step before it:
-- OFFSET 0 keeps the planner from joining whole tables, whatever it takes them to hold.
SELECT vacancy.id, bid.holds_seat, contract.signed_at, contract.left_on, contract.ended_at, moved.at
FROM unnest(%s::uuid[]) AS vacancy (id)
CROSS JOIN LATERAL (
    SELECT id, holds_seat FROM applications_bid WHERE vacancy_id = vacancy.id OFFSET 0
) AS bid
CROSS JOIN LATERAL (
    SELECT id FROM applications_referral WHERE bid_id = bid.id OFFSET 0
) AS referral
CROSS JOIN LATERAL (
    SELECT id, signed_at, left_on, ended_at FROM applications_contract WHERE referral_id = referral.id OFFSET 0
) AS contract
CROSS JOIN LATERAL (
    SELECT max(at) AS at FROM applications_transfer WHERE contract_id = contract.id
) AS moved
