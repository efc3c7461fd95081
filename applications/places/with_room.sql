-- The groups of these kindergartens (null: of all) in which there is room this school year and for which nothing is
-- written or published that still gives places, and which are not closed: what `occupancy.reckon` and `occupancy.room` say, for many at once.
WITH asked AS (SELECT %s::timestamptz AS now, %s::bigint[] AS kindergartens),
place AS MATERIALIZED (
    SELECT g.id AS group_id, g.capacity, l.timezone,
        (SELECT min(p.started_at) FROM bulletin_pause p
         WHERE p.ended_at IS NULL AND (p.locality_id IS NULL OR p.locality_id = l.id)) AS paused_since,
        extract(year FROM (now AT TIME ZONE l.timezone) - interval '8 months')::int AS year
    FROM asked, bulletin_group g
    JOIN bulletin_kindergarten k ON k.id = g.kindergarten_id
    JOIN bulletin_locality l ON l.id = k.locality_id
    WHERE kindergartens IS NULL OR k.id = ANY (kindergartens)
),
vacancy AS MATERIALIZED (
    SELECT v.id, v.group_id, v.state, v.seats_total, v.seats_taken, now < v.opens_at AS is_ahead, v.mode = 'queue_order' AS is_collected,
        v.state = 'closed' OR coalesce(v.closes_at <= least(now, p.paused_since), false) AS is_over,
        extract(
            year FROM (greatest(v.vacant_from, v.opens_at) AT TIME ZONE p.timezone) - interval '8 months'
        )::int AS year
    FROM asked, bulletin_vacancy v JOIN place p ON p.group_id = v.group_id
),
free AS MATERIALIZED (
    SELECT p.* FROM place p WHERE NOT EXISTS (
        SELECT FROM bulletin_closing c JOIN bulletin_group g ON g.kindergarten_id = c.kindergarten_id
        WHERE g.id = p.group_id AND c.state = 'running' AND (c.group_id IS NULL OR c.group_id = g.id)
    ) AND NOT EXISTS (
        SELECT FROM vacancy v WHERE v.group_id = p.group_id AND (
            v.state = 'draft'
            OR (v.state = 'published' AND NOT v.is_over AND (v.is_ahead OR v.seats_taken < v.seats_total))
        )
    )
),
promised AS MATERIALIZED (
    SELECT v.id, v.group_id, v.year, v.seats_taken + CASE
        WHEN v.is_collected AND v.is_over AND v.state <> 'recalled' THEN least(
            v.seats_total - v.seats_taken,
            (SELECT count(*) FROM applications_bid b
             WHERE b.vacancy_id = v.id AND b.state = 'pending' AND NOT b.holds_seat)
        )
        ELSE 0
    END AS places
    FROM vacancy v JOIN free USING (group_id)
    WHERE v.state <> 'draft'
),
contract AS MATERIALIZED (
    SELECT v.group_id, v.year,
        coalesce((SELECT max(t.at) FROM applications_transfer t WHERE t.contract_id = c.id), c.signed_at) AS signed_at,
        CASE WHEN b.holds_seat THEN NULL ELSE least(c.ended_at, (c.left_on + 1)::timestamp AT TIME ZONE f.timezone) END AS gone_at
    FROM promised v
    JOIN free f USING (group_id)
    JOIN applications_bid b ON b.vacancy_id = v.id
    JOIN applications_referral r ON r.bid_id = b.id
    JOIN applications_contract c ON c.referral_id = r.id
    WHERE b.holds_seat
        OR (c.left_on IS NOT NULL AND NOT EXISTS (SELECT FROM applications_transfer t WHERE t.contract_id = c.id))
),
-- Who has moved from one group to another: where each was, since when, and up to when (null: is there).
move AS MATERIALIZED (
    SELECT t.contract_id, t.source_id, t.target_id, t.at,
        lead(t.at) OVER one AS next_at, row_number() OVER one AS nth
    FROM applications_transfer t
    WINDOW one AS (PARTITION BY t.contract_id ORDER BY t.at, t.id)
),
moved AS MATERIALIZED (
    SELECT c.id AS contract_id, c.signed_at, b.holds_seat, l.timezone,
        least(c.ended_at, (c.left_on + 1)::timestamp AT TIME ZONE l.timezone) AS gone_at,
        extract(
            year FROM (greatest(v.vacant_from, v.opens_at) AT TIME ZONE l.timezone) - interval '8 months'
        )::int AS year
    FROM applications_contract c
    JOIN applications_referral r ON r.id = c.referral_id
    JOIN applications_bid b ON b.id = r.bid_id
    JOIN bulletin_vacancy v ON v.id = b.vacancy_id
    JOIN bulletin_group g ON g.id = v.group_id
    JOIN bulletin_kindergarten k ON k.id = g.kindergarten_id
    JOIN bulletin_locality l ON l.id = k.locality_id
    WHERE c.id IN (SELECT contract_id FROM move)
),
stay AS MATERIALIZED (
    SELECT m.source_id AS group_id, d.year, d.signed_at AS since, m.at AS gone_at
    FROM move m JOIN moved d USING (contract_id)
    WHERE m.nth = 1
    UNION ALL
    SELECT m.target_id,
        greatest(d.year, extract(year FROM (m.at AT TIME ZONE d.timezone) - interval '8 months')::int), m.at,
        coalesce(m.next_at, d.gone_at)
    FROM move m JOIN moved d USING (contract_id)
    WHERE m.next_at IS NOT NULL OR NOT d.holds_seat
),
counted AS MATERIALIZED (
    SELECT DISTINCT ON (h.group_id, h.school_year) h.group_id, h.school_year, h.children, h.counted_at
    FROM applications_headcount h JOIN free USING (group_id)
    WHERE h.state = 'approved'
    ORDER BY h.group_id, h.school_year, h.counted_at DESC, h.id DESC
),
held AS MATERIALIZED (
    SELECT group_id, school_year, children, counted_at,
        lead(school_year) OVER (PARTITION BY group_id ORDER BY school_year) AS until
    FROM counted
    UNION ALL
    SELECT free.group_id, NULL, 0, NULL, min(c.school_year)
    FROM free LEFT JOIN counted c USING (group_id)
    GROUP BY free.group_id
),
-- What is held in each span of school years, one reading of each kind: joined by group, never asked group by group.
taken AS MATERIALIZED (
    SELECT h.group_id, h.school_year, sum(v.places) AS places
    FROM held h JOIN promised v ON v.group_id = h.group_id AND (h.until IS NULL OR v.year < h.until)
    GROUP BY h.group_id, h.school_year
    UNION ALL
    SELECT h.group_id, h.school_year, -count(*)
    FROM held h JOIN contract c ON c.group_id = h.group_id AND (h.until IS NULL OR c.year < h.until)
    WHERE c.year <= h.school_year AND c.signed_at <= h.counted_at
        AND (c.gone_at IS NULL OR h.counted_at < c.gone_at)
    GROUP BY h.group_id, h.school_year
    UNION ALL
    SELECT h.group_id, h.school_year,
        sum(CASE
            WHEN s.gone_at IS NULL AND s.year <= h.school_year AND s.since <= h.counted_at THEN 0
            WHEN s.gone_at IS NULL THEN 1
            WHEN s.year <= h.school_year AND s.since <= h.counted_at AND h.counted_at < s.gone_at THEN -1
            ELSE 0
        END)
    FROM held h JOIN stay s ON s.group_id = h.group_id AND (h.until IS NULL OR s.year < h.until)
    GROUP BY h.group_id, h.school_year
),
full_in AS (
    SELECT h.group_id
    FROM held h JOIN free f USING (group_id)
    LEFT JOIN taken t ON t.group_id = h.group_id AND t.school_year IS NOT DISTINCT FROM h.school_year
    WHERE h.until IS NULL OR f.year < h.until
    GROUP BY h.group_id, h.school_year, h.children, f.capacity
    HAVING f.capacity <= h.children + coalesce(sum(t.places), 0)
)
SELECT group_id FROM free WHERE group_id NOT IN (SELECT group_id FROM full_in)
