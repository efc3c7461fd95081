-- A city for the employees: {kindergartens} kindergartens, ten vacancies each, a hundred families with a bid for each of
-- them, twenty referrals each, and a thousand entries of the audit.
INSERT INTO bulletin_locality (slug, name_kk, name_ru, timezone, "order")
SELECT 'bench-' || g, 'Қала ' || g, 'Город ' || g, 'Asia/Almaty', g FROM generate_series(1, 4) AS g;

INSERT INTO bulletin_kindergarten
    (slug, locality_id, name_kk, name_ru, ownership, type, address_kk, address_ru, phone, head, sort_key, search_text)
SELECT 'k' || g, l.id, 'Балабақша ' || g, 'Детский сад ' || g, 'state', 'nursery', 'Көше, ' || g, 'Улица, ' || g, '',
       '', lpad(g::text, 5, '0'), 'балабақша детский сад ' || g
FROM generate_series(1, {kindergartens}) AS g JOIN bulletin_locality AS l ON l.slug = 'bench-' || 1 + g % 4;

INSERT INTO bulletin_group (kindergarten_id, name, age_group, language, regime, capacity)
SELECT id, 'Күн ' || g, '3-4', 'kk', 'day', 25 FROM bulletin_kindergarten, generate_series(1, 6) AS g;

CREATE TEMPORARY TABLE bench_group AS SELECT id, row_number() OVER (ORDER BY id) AS n FROM bulletin_group;

INSERT INTO bulletin_vacancy
    (id, group_id, birth_years, place_type, mode, seats_total, seats_taken, state, opens_at, closes_at, vacant_from,
     published_at, ended_at, end_reason, short_notice_reason, responsible)
SELECT md5('v' || g)::uuid, b.id, '{{2022}}', 'vacant', 'first_come', 20, 10,
       CASE WHEN g % 10 = 0 THEN 'published' ELSE 'closed' END, now() - g * interval '1 hour', NULL,
       now() - g * interval '1 hour', now() - g * interval '1 hour' - interval '1 day',
       CASE WHEN g % 10 <> 0 THEN now() END, '', '', 'Т'
FROM generate_series(1, 10 * {kindergartens}) AS g JOIN bench_group AS b ON b.n = 1 + g % (6 * {kindergartens});

INSERT INTO accounts_user
    (id, username, password, phone, language, is_staff, is_active, is_superuser, date_joined, last_login, kept_iin,
     email, mails_notices)
SELECT md5('u' || g)::uuid, '+7701' || lpad(g::text, 7, '0'), '!', '+7701' || lpad(g::text, 7, '0'), 'kk',
       false, true, false, now() - g * interval '1 minute', NULL, '', '', false
FROM generate_series(1, 100 * {kindergartens}) AS g;

INSERT INTO accounts_profile
    (user_id, iin, iin_hash, document_number, last_name, first_name, middle_name, birth_date, sex, photo, second_phone,
     address, phone_tie, is_typed)
SELECT md5('u' || g)::uuid, '', md5('p' || g), '', 'ТЕК' || g % 5000, 'ЕСІМ', '', '1990-01-01', 'f', '', '', '', 'unknown', false
FROM generate_series(1, 100 * {kindergartens}) AS g;

INSERT INTO children_child
    (id, iin, iin_hash, last_name, first_name, middle_name, birth_date, sex, nationality, paper_number, created_at)
SELECT md5('c' || g)::uuid, '', md5('c' || g), 'ТЕК' || g % 5000, 'БАЛА', '', '2022-05-05', 'f', '', '', now()
FROM generate_series(1, 100 * {kindergartens}) AS g;

INSERT INTO children_guardianship (child_id, user_id, source, added_at, verified_at)
SELECT md5('c' || g)::uuid, md5('u' || g)::uuid, 'registry', now(), now()
FROM generate_series(1, 100 * {kindergartens}) AS g;

-- Of ten families one waits for an answer, two have a referral or a contract, and seven wait again after a refusal.
INSERT INTO applications_application
    (id, number, child_id, locality_id, birth_year, languages, tier, filed_at, sequence, filed_by_id, state,
     interest_confirmed_at, runs_out_at)
SELECT md5('a' || g)::uuid, '25-' || lpad(g::text, 6, '0'), md5('c' || g)::uuid, l.id, 2022, '{{kk,ru}}', 2,
       now() - interval '3 days' - g * interval '1 minute', g, md5('u' || g)::uuid,
       CASE g % 10 WHEN 0 THEN 'bid_placed' WHEN 1 THEN 'referred' WHEN 2 THEN 'enrolled' ELSE 'waiting' END, now(),
       now() + interval '1 day'
FROM generate_series(1, 100 * {kindergartens}) AS g JOIN bulletin_locality AS l ON l.slug = 'bench-' || 1 + g % 4;

INSERT INTO applications_event
    (application_id, at, move, from_state, to_state, actor_id, reason, data, locality_id, birth_year, tier, filed_at)
SELECT id, filed_at, 'file', '', 'waiting', filed_by_id, '', '{{}}', locality_id, birth_year, tier, filed_at
FROM applications_application;

INSERT INTO applications_event
    (application_id, at, move, from_state, to_state, actor_id, reason, data, locality_id, birth_year, tier, filed_at)
SELECT id, now(), 'sign_contract', 'referred', 'enrolled', filed_by_id, '', '{{}}', locality_id, birth_year, tier, filed_at
FROM applications_application WHERE state = 'enrolled';

INSERT INTO applications_bid
    (id, application_id, vacancy_id, state, placed_at, placed_by_id, holds_seat, answer_due, decided_at, reason, stand_in)
SELECT md5('b' || g)::uuid, md5('a' || g)::uuid, md5('v' || 1 + g / 10 % (10 * {kindergartens}))::uuid,
       CASE g % 10 WHEN 0 THEN 'pending' WHEN 1 THEN 'activated' WHEN 2 THEN 'activated' ELSE 'rejected' END,
       now() - g * interval '1 minute', md5('u' || g)::uuid, g % 10 = 0,
       now() + (g % 4000 - 1000) * interval '1 minute', CASE WHEN g % 10 <> 0 THEN now() END, '', ''
FROM generate_series(1, 100 * {kindergartens}) AS g;

INSERT INTO applications_referral
    (id, number, application_id, bid_id, state, issued_at, issued_by_id, valid_until, ended_at, reason, pdf)
SELECT md5('r' || g)::uuid, '26-' || lpad(g::text, 7, '0'), md5('a' || g)::uuid, md5('b' || g)::uuid,
       CASE g % 10 WHEN 1 THEN 'issued' ELSE 'signed' END, now() - interval '2 days', md5('u' || g)::uuid,
       now() + g % 7200 * interval '1 minute', CASE WHEN g % 10 = 2 THEN now() END, '', ''
FROM generate_series(1, 100 * {kindergartens}) AS g
WHERE g % 10 IN (1, 2);

INSERT INTO applications_contract (referral_id, number, signed_at, signed_by_id)
SELECT id, 'К-' || number, now(), issued_by_id FROM applications_referral WHERE state = 'signed';

INSERT INTO notifications_message
    (id, recipient_id, kind, language, text, dedupe_key, state, attempts, next_attempt_at, give_up_at, error,
     created_at, sent_at, phone, provider_id)
SELECT md5('m' || g)::uuid, md5('u' || g)::uuid, 'bid_placed', 'kk', 'Т', 'bench-' || g, 'sent', 1, now(), now(), '',
       now() - g * interval '1 minute', now() - g * interval '1 minute', '+7701' || lpad(g::text, 7, '0'), ''
FROM generate_series(1, 100 * {kindergartens}) AS g;

INSERT INTO accounts_auditentry (at, action, actor_id, subject_id, target, reason, about)
SELECT now() - g * interval '1 minute', CASE g % 3 WHEN 0 THEN 'signed_in' WHEN 1 THEN 'signed_out' ELSE 'password_changed' END,
       md5('u' || 1 + g % (100 * {kindergartens}))::uuid, md5('u' || 1 + g % (100 * {kindergartens}))::uuid, '', '', ''
FROM generate_series(1, 1000 * {kindergartens}) AS g;
