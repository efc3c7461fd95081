-- A city for the bench: {parents} families that wait, {vacancies} vacancies with 40 places each, and those of the rounds.
INSERT INTO bulletin_locality (slug, name_kk, name_ru, timezone, "order")
VALUES ('bench', 'Қала', 'Город', 'Asia/Almaty', 0);

INSERT INTO bulletin_kindergarten
    (slug, locality_id, name_kk, name_ru, ownership, type, address_kk, address_ru, phone, head, sort_key, search_text)
SELECT 'k' || g, l.id, 'Балабақша ' || g, 'Детский сад ' || g, 'state', 'nursery', 'Көше, ' || g, 'Улица, ' || g, '',
       '', lpad(g::text, 5, '0'), 'балабақша детский сад ' || g
FROM generate_series(1, 200) AS g, bulletin_locality AS l;

INSERT INTO bulletin_group (kindergarten_id, name, age_group, language, regime, capacity)
SELECT id, 'Күн', '3-4', 'kk', 'day', 25 FROM bulletin_kindergarten;

INSERT INTO accounts_user
    (id, username, password, phone, language, is_staff, is_active, is_superuser, date_joined, last_login)
SELECT md5('u' || g)::uuid, '+7701' || lpad(g::text, 7, '0'), '{password}', '+7701' || lpad(g::text, 7, '0'), 'kk',
       false, true, false, now(), NULL
FROM generate_series(1, {parents}) AS g;

INSERT INTO accounts_profile
    (user_id, iin, iin_hash, document_number, last_name, first_name, middle_name, birth_date, sex, photo, second_phone,
     address, phone_tie)
SELECT md5('u' || g)::uuid, '', md5('p' || g), '', 'Т', 'Т', '', '1990-01-01', 'f', '', '', '', 'unknown'
FROM generate_series(1, {parents}) AS g;

INSERT INTO children_child
    (id, iin, iin_hash, last_name, first_name, middle_name, birth_date, sex, nationality, created_at)
SELECT md5('c' || g)::uuid, '', md5('c' || g), 'Т', 'Т', '', '2022-05-05', 'f', '', now()
FROM generate_series(1, {parents}) AS g;

INSERT INTO children_guardianship (child_id, user_id, source, verified_at)
SELECT md5('c' || g)::uuid, md5('u' || g)::uuid, 'registry', now() FROM generate_series(1, {parents}) AS g;

INSERT INTO applications_application
    (id, number, child_id, locality_id, birth_year, languages, tier, filed_at, sequence, filed_by_id, state,
     interest_confirmed_at, runs_out_at)
SELECT md5('a' || g)::uuid, 'B-' || g, md5('c' || g)::uuid, l.id, 2022, '{{kk,ru}}', 2,
       now() - interval '3 days' - g * interval '1 minute', g, md5('u' || g)::uuid, 'waiting', now(),
       now() + interval '1 day'
FROM generate_series(1, {parents}) AS g, bulletin_locality AS l;

INSERT INTO applications_event
    (application_id, at, move, from_state, to_state, actor_id, reason, data, locality_id, birth_year, tier, filed_at)
SELECT id, filed_at, 'file', '', 'waiting', filed_by_id, '', '{{}}', locality_id, birth_year, tier, filed_at
FROM applications_application;

-- v1 ...: many places; full, hot-1 ... hot-9: 23 places; first, order: 100 places in the two modes.
INSERT INTO bulletin_vacancy
    (id, group_id, birth_years, place_type, mode, seats_total, seats_taken, state, opens_at, closes_at, vacant_from,
     published_at, end_reason, short_notice_reason, responsible)
SELECT md5(name)::uuid, (SELECT min(id) FROM bulletin_group) + n % 200, '{{2022}}', 'vacant', mode, seats, 0, 'published',
       now() - interval '1 hour', CASE WHEN mode = 'queue_order' THEN now() + interval '1 day' END,
       now() - interval '1 hour', now() - interval '1 day', '', '', 'Т'
FROM (
    SELECT 'v' || g, g, 'first_come', 40 FROM generate_series(1, {vacancies}) AS g
    UNION ALL SELECT 'hot-' || g, g, 'first_come', 23 FROM generate_series(1, 9) AS g
    UNION ALL SELECT 'alone-' || g, g, 'first_come', 23 FROM generate_series(1, 9) AS g
    UNION ALL VALUES ('full', 1, 'first_come', 1), ('first', 2, 'first_come', 100), ('order', 3, 'queue_order', 100)
) AS vacancy (name, n, mode, seats);

-- Who presses for what in pgbench: each family once.
CREATE TABLE bench_attempt AS
SELECT g AS n, md5('u' || g)::uuid AS person, md5('a' || g)::uuid AS application,
       md5('v' || 1 + g % {vacancies})::uuid AS vacancy
FROM generate_series(1, {parents}) AS g;
ALTER TABLE bench_attempt ADD PRIMARY KEY (n);
