-- A name as it is looked for: notifications/folding.py has the same two tables, and says what they are for. Two indices hold its
-- results, so whoever changes it makes them anew in the same migration. `translate` looks every letter up one after another,
-- hence the cost: otherwise the planner reads whole tables with it.
CREATE OR REPLACE FUNCTION folded_name(p_last_name text, p_first_name text, p_middle_name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 AS $$
BEGIN
    RETURN translate(
        p_last_name || ' ' || p_first_name || ' ' || p_middle_name,
        U&'ӘҒҚҢӨҰҮҺІЁЙәғқңөұүһіёйABCEHIKMOPTXYabcehikmoptxyАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯDFGJLNQRSUVWZ-\2010\2011–—_.,\00a0''’ʼ`ʹ´"\0301\0306\0308',
        'агкноуухиеиагкноуухиеиавсеникмортхуавсеникмортхуабвгдежзиклмнопрстуфхцчшщъыьэюяdfgjlnqrsuvwz         '
    );
END $$;
