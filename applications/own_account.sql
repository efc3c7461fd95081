-- Whether an account belongs to these kindergartens and localities: a family's by the applications of its children (of
-- who has none, to every locality), an employee's by where they are, or were, employed. The expressions are
-- the account's key and the two lists of keys. Written into the statement of a list, where it is asked of each row
-- and answered from indexes.
(
    SELECT CASE
        WHEN account.is_staff THEN EXISTS (
            SELECT
            FROM bulletin_employment AS employment
            LEFT JOIN bulletin_kindergarten AS kindergarten ON kindergarten.id = employment.kindergarten_id
            WHERE employment.user_id = account.id AND (
                employment.kindergarten_id = ANY (own.kindergartens)
                OR kindergarten.locality_id = ANY (own.localities)
                OR employment.locality_id = ANY (own.localities)
            )
        )
        ELSE cardinality(own.localities) > 0 AND coalesce((
            -- An aggregate of the few that one family has: nothing to sort, and null where there is none.
            SELECT bool_or(application.locality_id = ANY (own.localities))
            FROM applications_application AS application
            WHERE application.child_id IN (
                SELECT child_id FROM children_guardianship WHERE user_id = account.id AND ended_at IS NULL
            )
        ), true)
    END
    FROM (VALUES (%(expressions)s)) AS own (account, kindergartens, localities)
    JOIN accounts_user AS account ON account.id = own.account
)
