"""What may be wrong with a file or a row, in words: what it is, and what to do about it. Pure.

A fault is kept as data, so that whoever reads the report reads it in their own language.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Problem(StrEnum):
    """By its value a program knows it (`--format json`)."""

    # Of a file as a whole.
    NO_FILE = "no_file"
    NO_ROWS = "no_rows"
    TOO_LARGE = "too_large"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_MANY_BAD = "too_many_bad"
    MOST_ABSENT = "most_absent"
    TOO_MANY_CELLS = "too_many_cells"
    OLD_EXCEL = "old_excel"
    NO_TABLE = "no_table"
    BROKEN = "broken"
    NO_SHEET = "no_sheet"
    ENCODING = "encoding"
    QUOTE = "quote"
    LONG_CELL = "long_cell"
    HEADING_LACKS = "heading_lacks"
    HEADING_TWICE = "heading_twice"
    # Worth saying, and nothing is refused for it.
    MORE_SHEETS = "more_sheets"
    UNKNOWN_COLUMNS = "unknown_columns"
    OLD_ENCODING = "old_encoding"
    ABSENT = "absent"
    ABSENT_DECIDED = "absent_decided"
    TAKEN_OUT = "taken_out"
    # Of one cell or row.
    EMPTY = "empty"
    EXTRA_CELLS = "extra_cells"
    EXCEL_ERROR = "excel_error"
    UNCOMPUTED = "uncomputed"
    LOST_LETTERS = "lost_letters"
    CONTROL = "control"
    TOO_LONG = "too_long"
    NOT_ALLOWED = "not_allowed"
    NOT_SLUG = "not_slug"
    NOT_WHOLE = "not_whole"
    NOT_DEGREES = "not_degrees"
    HALF_POINT = "half_point"
    ABROAD = "abroad"
    NOT_DAY = "not_day"
    NOT_MOMENT = "not_moment"
    NOT_PHONE = "not_phone"
    NOT_EMAIL = "not_email"
    CUT_NUMBER = "cut_number"
    SHORT_IIN = "short_iin"
    NOT_IIN = "not_iin"
    REPEATED = "repeated"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    NOT_YOURS = "not_yours"
    IN_USE = "in_use"
    NOT_ZONE = "not_zone"
    NOT_NAME = "not_name"
    NOT_LOGIN = "not_login"
    LOGIN_TAKEN = "login_taken"
    NOT_TO_GIVE = "not_to_give"
    OTHER_ROLES = "other_roles"
    TWO_PLACES = "two_places"
    IIN_NEEDED = "iin_needed"
    IIN_TAKEN = "iin_taken"
    RULE = "rule"
    FEWER_THAN_CONTRACTS = "fewer_than_contracts"
    TOO_MANY_CHILDREN = "too_many_children"
    NOT_ALL_CHILDREN = "not_all_children"
    CONTRACT_ELSEWHERE = "contract_elsewhere"
    # Of a row of the former queue.
    NOT_CERTIFICATE = "not_certificate"
    NO_IDENTITY = "no_identity"
    OTHER_BIRTH_DATE = "other_birth_date"
    SAME_PERSON = "same_person"
    IN_FUTURE = "in_future"
    BEFORE_2000 = "before_2000"
    BEFORE_BIRTH = "before_birth"
    TOO_OLD = "too_old"
    ENROLLED = "enrolled"
    IN_QUEUE = "in_queue"
    CLAIMED = "claimed"
    BROUGHT_OTHERWISE = "brought_otherwise"
    DECIDED_HERE = "decided_here"
    NUMBER_TAKEN = "number_taken"
    SAME_CHILD = "same_child"
    LEFT = "left"
    BENEFIT_OVER = "benefit_over"
    NO_BENEFIT = "no_benefit"
    NO_BENEFIT_END = "no_benefit_end"
    NO_END = "no_end"
    END_OVER = "end_over"
    END_TOO_FAR = "end_too_far"
    # Of what a batch made or changed, when it is to be undone.
    DELETED_SINCE = "deleted_since"
    CHANGED_SINCE = "changed_since"
    BUILT_ON = "built_on"
    SIGNED = "signed"


# What it is, and what to do. The values stand in `Fault.values`.
SENTENCES: Final[Mapping[Problem, tuple[str | Promise, str | Promise]]] = {
    Problem.NO_FILE: (_("The file can't be read: %(why)s."), _("Check its name and who may read it.")),
    Problem.NO_ROWS: (
        _("The file holds no table."),
        _("Its first row must be the headings of the columns: take the template."),
    ),
    Problem.TOO_LARGE: (
        _("The file is too large. The most that is read, MB: %(megabytes)s."),
        _("Remove pictures, colours and sheets that are not needed, or part the file in several."),
    ),
    Problem.TOO_MANY_BAD: (
        _("Rows with cells that can't be read: more than %(most)s."),
        _("It seems to be another kind of file, or its columns are shifted: compare it with the template."),
    ),
    Problem.MOST_ABSENT: (
        _("More children would leave the queue (%(count)s) than the file names (%(named)s)."),
        _("It seems to be cut off, or a part of the queue: load it without taking anybody out."),
    ),
    Problem.TOO_MANY_ROWS: (
        _("The file has too many rows. The most that are read: %(most)s."),
        _("Part the file in several."),
    ),
    Problem.TOO_MANY_CELLS: (
        _("Row %(line)s has too many cells. The most that are read: %(most)s."),
        _("Remove what stands to the right of the table."),
    ),
    Problem.OLD_EXCEL: (
        _("This is a file of an old Excel (.xls), or one with a password."),
        _("Save it as .xlsx without a password."),
    ),
    Problem.NO_TABLE: (
        _("This is neither a CSV file nor an Excel workbook (.xlsx)."),
        _("Save the table as .xlsx or as CSV UTF-8."),
    ),
    Problem.BROKEN: (
        _("The workbook is damaged, or it is no workbook."),
        _("Open it in Excel, save it anew as .xlsx, and try again."),
    ),
    Problem.NO_SHEET: (_("The workbook has no visible sheet."), _("Show the sheet with the table.")),
    Problem.ENCODING: (
        _("The letters of the file can't be told: it is neither UTF-8 nor UTF-16 nor Windows-1251."),
        _("Save it as CSV UTF-8 or as .xlsx."),
    ),
    Problem.QUOTE: (
        _("A quotation mark in row %(line)s is not closed, or something stands behind it."),
        _("Inside a cell in quotation marks write each of them twice, or save the table as .xlsx."),
    ),
    Problem.LONG_CELL: (
        _("A cell of row %(line)s is too long to be one."),
        _("Look for a quotation mark that is not closed."),
    ),
    Problem.HEADING_LACKS: (
        _("The heading lacks these columns: %(columns)s."),
        _("Add them, by these names, in one row above the data. The template has them all."),
    ),
    Problem.HEADING_TWICE: (
        _("The heading has a column twice: %(columns)s."),
        _("Remove or rename one of the two."),
    ),
    Problem.MORE_SHEETS: (
        _("The workbook has more than one sheet. Read: %(read)s. Not read: %(others)s."),
        _("If another sheet is meant, put it first."),
    ),
    Problem.UNKNOWN_COLUMNS: (
        _("These columns are not known, and nothing is taken from them: %(columns)s."),
        _("If one of them is mistyped, correct it: the template has all names."),
    ),
    Problem.OLD_ENCODING: (
        _("The file is in Windows-1251, which has no Kazakh letters."),
        _("Look whether a letter was lost. CSV UTF-8 and .xlsx keep all of them."),
    ),
    Problem.TAKEN_OUT: (
        _(
            "Children who leave the queue because this file does not have them: %(count)s. Their former numbers: "
            "%(numbers)s"
        ),
        _("If one of them is to stay, undo the file or load it without taking anybody out."),
    ),
    Problem.ABSENT: (
        _(
            "Children of earlier files whom this file does not have, though it is of their locality: %(count)s; of "
            "them claimed by their families: %(claimed)s. They stay in the queue. Their former numbers: %(numbers)s"
        ),
        _(
            "If the file is the whole queue, find out what became of each. Those whom nobody has claimed can be taken "
            "out when the file is loaded. Its reconciliation, once it is loaded, lists all of them."
        ),
    ),
    Problem.ABSENT_DECIDED: (
        _("Of them officials have decided here about: %(count)s. Loading the file does not take these out."),
        _("If such a child is no longer in the queue, take the decision back, or correct the application."),
    ),
    Problem.EMPTY: (_("The cell is empty."), _("Fill it in.")),
    Problem.EXTRA_CELLS: (
        _("The row has more cells than the heading."),
        _("Is there a separator inside a cell? Then put the cell into quotation marks, or save as .xlsx."),
    ),
    Problem.EXCEL_ERROR: (
        _("Excel could not compute this cell."),
        _("Mend the formula, or write the value itself."),
    ),
    Problem.UNCOMPUTED: (
        _("The cell holds a formula without its result."),
        _("Open the file in Excel and save it, or write the value itself."),
    ),
    Problem.LOST_LETTERS: (
        _("Letters were lost: there is a question mark in place of one."),
        _("Write it anew from the source, and save as CSV UTF-8 or .xlsx."),
    ),
    Problem.CONTROL: (
        _("The cell holds signs that can't be seen."),
        _("Write it anew by hand."),
    ),
    Problem.TOO_LONG: (_("Too long. The most signs: %(most)s."), _("Shorten it.")),
    Problem.NOT_ALLOWED: (_("There is no such value."), _("Write one of: %(allowed)s.")),
    Problem.NOT_SLUG: (
        _("This can't be an address on the site."),
        _("Write Latin letters, digits, hyphens and underscores only."),
    ),
    Problem.NOT_WHOLE: (
        _("This is no whole number from %(least)s to %(most)s."),
        _("Write digits only."),
    ),
    Problem.NOT_DEGREES: (
        _("These are no degrees from %(least)s to %(most)s, the bounds of Kazakhstan."),
        _("Write degrees with decimals, as 43.2973. Check that latitude and longitude are not exchanged."),
    ),
    Problem.HALF_POINT: (
        _("Only one of latitude and longitude is there."),
        _("Write both, or leave both empty."),
    ),
    Problem.ABROAD: (
        _("This point is outside of Kazakhstan."),
        _("Check both numbers, and whether latitude and longitude are exchanged."),
    ),
    Problem.NOT_DAY: (
        _("This is no date, or one that can't be meant."),
        _("Write it as 26.06.2019 or 2019-06-26."),
    ),
    Problem.NOT_MOMENT: (
        _("This is no date with a time."),
        _("Write it as 26.06.2019 10:00 or 2019-06-26 10:00."),
    ),
    Problem.NOT_PHONE: (_("This is no phone number."), _("Write it as +7 701 777 98 76.")),
    Problem.NOT_EMAIL: (_("This is no e-mail address."), _("Write it as name@example.kz.")),
    Problem.CUT_NUMBER: (
        _("Excel has shortened the number, and its last digits are lost."),
        _("Make the column a text column, and enter the numbers anew from the source."),
    ),
    Problem.SHORT_IIN: (
        _("An IIN has 12 digits, this one has %(digits)s: Excel drops zeros at the beginning."),
        _("Make the column a text column, and enter the IIN anew from the source."),
    ),
    Problem.NOT_IIN: (_("This is no IIN: %(why)s."), _("Copy it from the document.")),
    Problem.REPEATED: (
        _("The same stands in row %(earlier)s already."),
        _("Leave one of the two rows."),
    ),
    Problem.UNKNOWN: (
        _("The portal does not know it."),
        _("Write it as the portal calls it. What the portal does not have yet comes in first: %(first)s."),
    ),
    Problem.AMBIGUOUS: (
        _("There are several of this name."),
        _("Write the address on the site instead of the name."),
    ),
    Problem.NOT_YOURS: (
        _("It is in a locality in which you don't work."),
        _("Leave the row to an official of that locality."),
    ),
    Problem.IN_USE: (
        _("It can't change while something depends on it: %(what)s."),
        _("End that first, or leave this cell as it is in the portal."),
    ),
    Problem.NOT_ZONE: (_("There is no such time zone."), _("Write its name, as Asia/Almaty.")),
    Problem.NOT_NAME: (
        _("This is no name of a person or of their work."),
        _("Write letters; a space, a hyphen, an apostrophe or a dot may stand between them."),
    ),
    Problem.NOT_LOGIN: (
        _("This can't be a login."),
        _("A login begins with a Latin letter and holds Latin letters, digits and . _ @ - only."),
    ),
    Problem.LOGIN_TAKEN: (
        _("Somebody else has this login, or the account is blocked."),
        _("Choose another login, or unblock the account on its page."),
    ),
    Problem.NOT_TO_GIVE: (
        _("You can't give this role, or change this account."),
        _("Leave the row to an administrator who may."),
    ),
    Problem.OTHER_ROLES: (
        _("The account has other roles: %(roles)s."),
        _("Write these, or change the roles on the page of the account first."),
    ),
    Problem.TWO_PLACES: (
        _("An employee works in a kindergarten or for localities, not both."),
        _("Empty one of the two cells."),
    ),
    Problem.IIN_NEEDED: (
        _("This role decides about families, and nobody decides for their own child."),
        _("Write the employee's IIN."),
    ),
    Problem.IIN_TAKEN: (
        _("Another employee has this IIN."),
        _("Look for the account that there is already."),
    ),
    Problem.RULE: ("%(why)s", _("Correct the cell.")),
    Problem.FEWER_THAN_CONTRACTS: (
        _("The file has fewer children of this group (%(children)s) than have contracts in it (%(signed)s)."),
        _("Add the children who are missing, or end the contracts of those who left."),
    ),
    Problem.TOO_MANY_CHILDREN: (
        _("No group has so many children: %(children)s."),
        _("Look whether several groups of this kindergarten have the same name in the file."),
    ),
    Problem.NOT_ALL_CHILDREN: (
        _("Bad rows may be children of this group, so it is not counted."),
        _("Correct the bad rows, and bring the file again."),
    ),
    Problem.CONTRACT_ELSEWHERE: (
        _(
            "The child has a contract in another group. Kindergarten: %(kindergarten)s, group: %(group)s. Neither of "
            "the two groups is counted."
        ),
        _("Correct the row; if it is right, transfer the child in the portal or end its contract first."),
    ),
    Problem.NOT_CERTIFICATE: (
        _("This is no number of a birth certificate."),
        _("It has 5 to 20 letters and digits. Copy it from the certificate."),
    ),
    Problem.NO_IDENTITY: (
        _(
            "The row has neither an IIN nor a birth certificate of the child, or no sex beside the certificate."
        ),
        _("Fill in the child's IIN, or the certificate and the sex."),
    ),
    Problem.OTHER_BIRTH_DATE: (
        _("The birth date is not that of the IIN."),
        _(
            "Look at the certificate. If both are right, leave the row out: the family files here, and two officials "
            "correct the date."
        ),
    ),
    Problem.SAME_PERSON: (
        _("The child and the guardian have the same IIN."),
        _("Copy both from the documents, or leave the guardian's empty."),
    ),
    Problem.IN_FUTURE: (_("The date is in the future."), _("Look at the day, the month and the year.")),
    Problem.BEFORE_2000: (_("The date is before 2000."), _("Look at the year.")),
    Problem.BEFORE_BIRTH: (
        _("The application was filed before the child was born."),
        _("Look at both dates."),
    ),
    Problem.TOO_OLD: (
        _("The child has reached school age: the oldest birth year that waits here is %(oldest)s."),
        _("Look at the birth date. If it is right, leave the row out."),
    ),
    Problem.ENROLLED: (
        _("The child has a place already: its contract is in the portal."),
        _("Leave the row out, or end the contract first if it is a mistake."),
    ),
    Problem.IN_QUEUE: (
        _("The family has filed an application in the portal, which waits at its own date."),
        _("Leave the row out. If its date is the right one, two officials correct it in the portal."),
    ),
    Problem.CLAIMED: (
        _(
            "The family has claimed the application that an earlier file brought in, and the portal has something else "
            "there. Its number in that file: %(what)s."
        ),
        _("Leave the row out. A claimed application changes by a correction of two officials."),
    ),
    Problem.BROUGHT_OTHERWISE: (
        _(
            "An earlier file has brought this child in, and said something else there. Its number in that file: "
            "%(what)s."
        ),
        _("Undo that file and load this one. If it can't be undone, two officials correct the application."),
    ),
    Problem.DECIDED_HERE: (
        _(
            "Officials have decided here about this application since it was brought in, and the file says something "
            "else. Application number: %(what)s."
        ),
        _("Leave the row out. If the file is right, two officials correct the application."),
    ),
    Problem.NUMBER_TAKEN: (
        _("Another child has this number of the former queue in this locality."),
        _("Look which of the two has it, and correct the number or the locality."),
    ),
    Problem.SAME_CHILD: (
        _(
            "The portal has this child without this IIN or certificate: another application has the same certificate, "
            "or the same former number, name and date of birth. Its number: %(what)s."
        ),
        _("If it is the same child, link the line to that application. If not, correct the row."),
    ),
    Problem.LEFT: (
        _("The row says that the child has left the former queue, and the portal does not have it."),
        _("Remove the row."),
    ),
    Problem.BENEFIT_OVER: (
        _("The benefit is over."),
        _("Empty both cells of the benefit, or correct its last day."),
    ),
    Problem.NO_BENEFIT: (
        _("There is a last day of a benefit, but no benefit."),
        _("Fill in the benefit, or empty this cell."),
    ),
    Problem.NO_BENEFIT_END: (
        _("This benefit does not count for good, and its last day is missing."),
        _("Fill in its last day, counted from the date of the certificate."),
    ),
    Problem.NO_END: (
        _("This state needs its last day."),
        _("Fill in the last day of the stop or of the referral."),
    ),
    Problem.END_OVER: (
        _("The stop or the referral is over."),
        _("If the child waits again, write that it waits and empty this cell."),
    ),
    Problem.END_TOO_FAR: (
        _("No stop and no referral lasts so long. The most days: %(most)s."),
        _("Look at the date."),
    ),
    Problem.DELETED_SINCE: (_("It was deleted since."), _("The batch can't be undone as a whole any more.")),
    Problem.CHANGED_SINCE: (
        _("It was changed since: %(what)s."),
        _(
            "If a newer file was loaded since, undo that one first. Otherwise change it back, or correct the rest by "
            "another file."
        ),
    ),
    Problem.BUILT_ON: (
        _("Something stands on it by now: %(what)s."),
        _("Remove that first, or leave the batch as it is."),
    ),
    Problem.SIGNED: (
        _("Two officials have signed its protocol: nobody undoes it alone."),
        _(
            "Correct what is wrong by a newer file, or by deciding anew about a line. If all of it has to go, an "
            "operator of the portal undoes it by a command that takes a reason."
        ),
    ),
}

# What brings in what a row names: where an employee finds it in the workplace, and the command of a terminal.
BROUGHT_BY: Final[Mapping[str, tuple[str | Promise, str]]] = {
    "localities": (_("«Files of the city», «Localities»"), "import_localities"),
    "kindergartens": (_("«Files of the city», «Kindergartens»"), "import_kindergartens"),
    "groups": (_("«Files of the city», «Groups»"), "import_groups"),
    "benefit_categories": (_("«Benefit categories»"), "load_benefit_categories"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where. `line` 0: with the file; `column` empty: with the whole row.

    `value` is what may be shown of the cell: of an IIN its last two digits.
    """

    problem: Problem
    line: int = 0
    column: str = ""
    value: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """What is wrong, in the language of the reader."""
        return str(SENTENCES[self.problem][0]) % self.values

    @property
    def remedy(self) -> str:
        """What to do about it, in the language of the reader, who has the workplace before them."""
        return self._remedy(in_terminal=False)

    @property
    def remedy_in_terminal(self) -> str:
        """The same for whoever types commands."""
        return self._remedy(in_terminal=True)

    def _remedy(self, *, in_terminal: bool) -> str:
        values = dict(self.values)
        if first := BROUGHT_BY.get(values.get("first", "")):
            page, command = first
            values["first"] = command if in_terminal else page
        return str(SENTENCES[self.problem][1]) % values

    def as_json(self) -> dict[str, Any]:
        """What is kept and given to programs; `of_json` reads it."""
        return {
            "line": self.line,
            "column": self.column,
            "value": self.value,
            "problem": self.problem.value,
            "values": dict(self.values),
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Fault":
        return cls(**{**kept, "problem": Problem(kept["problem"])})


class Unreadable(Exception):
    """The file as a whole can't be read; the fault says why."""

    def __init__(self, problem: Problem, **values: Any) -> None:
        self.fault = Fault(problem, values=values)
        super().__init__(problem.value)


class Wrong(Exception):
    """A cell does not hold what it should."""

    def __init__(self, problem: Problem, **values: Any) -> None:
        self.problem, self.values = problem, values
        super().__init__(problem.value)
