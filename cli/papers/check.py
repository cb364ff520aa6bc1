#!/usr/bin/python3
"""Calendars, PDF and DOCX as the commands write them, read by programs that share no code with ours and are in Debian: the library icalendar; qpdf and poppler;
LibreOffice and xmllint. That a file is well formed is not all: each text must be found in it, in every language.

DETENTE_PROGRAM is the program. DETENTE_PAPERS, if set, is a folder to keep the files in, to look at."""

import collections
import concurrent.futures
import datetime
import email
import email.policy
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as tree
import zipfile

import icalendar

import world
from world import LANGUAGES, plain, words

ROOT = pathlib.Path(__file__).resolve().parents[2]
START, END = datetime.datetime(2036, 2, 1, 9, tzinfo=datetime.timezone.utc), datetime.datetime(2036, 2, 3, 16, tzinfo=datetime.timezone.utc)
DUE = datetime.datetime(2036, 1, 1, tzinfo=datetime.timezone.utc)
PAIRS = (("en", "ru"), ("ar", "zh"), ("fr", "es"))
INVITED = ("talks@mfa.xs.example", "council@xs.example")
ORGANIZER = "protocol@mfa.xn.example"
PLACE = "Nordhaven; Hall 3, second floor"
ACTION = {"ar": "تبادل القوائم.", "en": "Exchange lists.", "es": "Intercambiar listas.", "fr": "Échanger les listes.", "ru": "Обменяться перечнями.", "zh": "交换清单。"}
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
OBSERVED = "Обращения к пульту управления подстанции."


def moment(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def phrases(of, lang):
    return json.loads((ROOT / of / "phrases" / f"{lang}.json").read_text("utf-8"))["phrases"]


def filled(phrase, *values):
    for n, value in enumerate(values, 1):
        phrase = phrase.replace("{%d}" % n, str(value))
    return phrase


def upright(text):
    """A text without the marks that keep words of two directions apart."""
    return "".join(c for c in text if c not in "\u2066\u2067\u2068\u2069")


def shown(root):
    """The paragraphs and heads of a document as LibreOffice has understood it."""
    return "\n".join("".join(e.itertext()) for e in root.iter() if e.tag in (OFFICE + "p", OFFICE + "h"))


class Story:
    """What both parties say, and the files that they write of it."""

    def __init__(self, program, folder):
        self.folder = pathlib.Path(folder)
        self.xn, self.xs = (world.Party(program, folder, name) for name in ("xn", "xs"))
        self.calendars, self.invitations, self.pdfs, self.docx = {}, {}, {}, {}
        self.meet()
        self.talk()
        self.write()

    def both(self):
        return self.xn, self.xs

    def meet(self):
        for party in self.both():
            party.found()
        self.xn.trust(self.xs)
        self.xs.trust(self.xn)
        self.xn.run("channel", "propose", "council", "--with", "xs", "--post", "council", "--regime", "dialogue/1")
        self.xn.run("channel", "propose", "nrrc", "--with", "xs", "--post", "nrrc", "--regime", "incidents/1")
        self.xn.tell(self.xs)
        self.xs.run("channel", "accept", "council")
        self.xs.run("channel", "accept", "nrrc")
        self.xs.tell(self.xn)

    def talk(self):
        (self.folder / "agreement.txt").write_text(world.marked(), "utf-8")
        self.series = self.xn.ask("round", "open", "--channel", "council", "--every", "4380h", "--hosts", "xn,xs", "--languages", " ".join(LANGUAGES),
                                  *(f"name.{lang}={text}" for lang, text in world.SERIES.items()))["number"]
        self.draft = self.xn.ask("draft", "new", "--channel", "council", "--from", "agreement.txt")["id"]
        self.case = self.xn.ask("case", "open", "--channel", "nrrc", "-p", "PRIORITY", "--lang", "ru", "asked=check,stop", "observation=" + OBSERVED,
                                "observed=2026-11-24T22:00:00Z/2026-11-25T04:00:00Z", "sources=203.0.113.9", "severity=major", "--attach", "agreement.txt")["case"]
        self.xn.tell(self.xs)
        self.xs.run("round", "propose", self.series, "--mode", "third-venue", "--window", moment(START) + "/" + moment(END), "--place", PLACE)
        self.xs.run("round", "propose", self.series, "--mode", "virtual", "--window", "2036-03-01T09:00:00Z/2036-03-01T12:00:00Z")
        self.xs.run("draft", "accept", self.draft, "--all")
        self.xs.run("draft", "table", self.draft, "a1.1", *(f"{lang}={text}" for lang, text in world.OTHERWISE.items()))
        self.xs.run("case", "say", self.case, "acknowledgement", "received=2026-11-25T05:00:00Z", "understood=true")
        self.xs.tell(self.xn)
        self.calendars["proposed"] = self.xn.run("round", "calendar", "--lang", "en")
        proposals = self.xn.ask("round", "show", self.series)["rounds"][0]["proposals"]
        self.xn.run("round", "accept", self.series, "--proposal", next(p["number"] for p in proposals if p["mode"] == "third-venue"))
        self.xn.run("round", "action", self.series, "--round", "1", "--owner", "xs/council", "--due", moment(DUE), *(f"words.{lang}={text}" for lang, text in ACTION.items()))
        # While one provision is open: the draft with its brackets, in print and for a word processor.
        self.paper(self.xn, "rolling", ("en", "ar"))
        self.paper(self.xn, "rolling", ("ru", "zh"))
        self.document(self.xn, "rolling")
        self.xn.run("draft", "accept", self.draft, "--all")
        self.xn.tell(self.xs)

    def write(self):
        with concurrent.futures.ThreadPoolExecutor() as both:
            list(both.map(self.write_of, self.both()))
        for lang in LANGUAGES:
            self.invitations[lang] = self.xn.run("round", "calendar", self.series, "--round", "1", "--lang", lang, "--organizer", ORGANIZER,
                                                 *("--attendee=" + a for a in INVITED))
        with world.MailServer() as server:
            self.xn.mails(server)
            for lang in LANGUAGES:
                self.xn.run("round", "invite", self.series, *INVITED, "--round", "1", "--organizer", ORGANIZER, "--lang", lang)
            server.shutdown()
        self.letters = server.letters
        self.review()
        self.xs.run("case", "export", self.case, "--pdf", "case.pdf")
        self.pdfs["case"] = self.folder / "case.pdf"

    def review(self):
        """Writes the papers of the round. Each side must know first that the other holds what it has said."""
        self.xs.tell(self.xn)
        self.xn.tell(self.xs)
        until = json.loads(self.xn.run("round", "pack", self.series, "1", "--to", "now", "--json"))["to"]
        self.packs = []
        for party, langs in zip((self.xn, self.xs, self.xn), PAIRS):
            for format, files in (("pdf", self.pdfs), ("docx", self.docx)):
                name = f"pack-{party.name}-{'-'.join(langs)}.{format}"
                party.run("round", "pack", self.series, "1", "--to", until, "--alternat", "xs", "--in", ",".join(langs), "-o", name)
                files["pack", party.name, langs] = self.folder / name
        for party in self.both():
            for format in ("json", "pdf", "docx"):
                name = f"same-{party.name}.{format}"
                party.run("round", "pack", self.series, "1", "--to", until, "--alternat", "xs", "--in", "ru,zh", "-o", name)
                self.packs.append(self.folder / name)

    def write_of(self, party):
        for lang in LANGUAGES:
            self.calendars[lang, party.name] = party.run("round", "calendar", "--lang", lang)
        for langs in PAIRS:
            self.paper(party, "original", langs)
        self.document(party, "clean")

    def paper(self, party, what, langs):
        name = f"{what}-{party.name}-{'-'.join(langs)}.pdf"
        party.run("draft", "export", self.draft, "--in", ",".join(langs), "-o", name)
        self.pdfs[what, party.name, langs] = self.folder / name

    def document(self, party, what):
        name = f"{what}-{party.name}.docx"
        party.run("draft", "export", self.draft, "-o", name)
        self.docx[what, party.name] = self.folder / name


def said(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


class Papers(unittest.TestCase):
    """The files are written once."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="papers-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.story = Story(os.environ["DETENTE_PROGRAM"], cls.folder)
        kept = os.environ.get("DETENTE_PAPERS")
        if kept:
            for path in pathlib.Path(cls.folder).iterdir():
                if path.suffix in (".pdf", ".docx"):
                    shutil.copy(path, kept)
            for name, data in [*cls.story.calendars.items(), *((("invitation", lang), b) for lang, b in cls.story.invitations.items())]:
                pathlib.Path(kept, "-".join([name] if isinstance(name, str) else name) + ".ics").write_bytes(data)

    def holds(self, read, text, lang, where):
        """Each word of a text is in what another program has read, as often as there."""
        have = collections.Counter(words(read, lang))
        need = collections.Counter(words(text, lang))
        missing = need - have
        self.assertFalse(missing, f"{where}: of {text!r} are missing: {missing}")

    def worded(self, read, lang, provision, text, rolling, where):
        """A provision stands there: as it is agreed, or with both wordings of the one that is open. What they share stands once, and they touch."""
        where = f"{where}, {provision} in {lang}"
        if provision != "a1.1":
            self.holds(read, text, lang, where)
        elif not rolling:
            self.holds(read, world.OTHERWISE[lang], lang, where)
        else:
            for word in words(text, lang) + words(world.OTHERWISE[lang], lang):
                self.assertIn(word, read, where)

    # Calendars.

    def parsed(self, data, where):
        """A calendar, as another library reads it, held against what RFC 5545 asks of each of its lines and components."""
        self.assertTrue(data.endswith(b"\r\n") and b"\n" not in data.replace(b"\r\n", b""), f"{where}: lines end otherwise than in CR LF")
        for line in data.split(b"\r\n"):
            self.assertLessEqual(len(line), 75, f"{where}: {line!r}")
            line.decode("utf-8")  # no character is cut in two
        calendar = icalendar.Calendar.from_ical(data)
        self.assertEqual(calendar["VERSION"], "2.0")
        self.assertIn("PRODID", calendar)
        self.assertEqual(data.count(b"\r\nUID:"), len(calendar.walk("VEVENT")), f"{where}: the library would give an event an id of its own")
        seen = set()
        for part in calendar.walk():
            self.assertEqual(getattr(part, "errors", []), [], f"{where}: lines that the library passes over")
            for name in part.required:
                self.assertIn(name, part, f"{where}: {part.name}")
            for name in part.singletons:
                self.assertNotIsInstance(part.get(name), list, f"{where}: {name} stands twice")
            self.assertIn(part.name, ("VCALENDAR", "VEVENT"), where)
            if part.name == "VEVENT":
                self.assertIn("DTSTART", part)
                self.assertFalse("DTEND" in part and "DURATION" in part)
                for name in ("DTSTAMP", "DTSTART", "DTEND"):
                    if name in part:
                        self.assertEqual(part.decoded(name).utcoffset(), datetime.timedelta(0), f"{where}: {name} is not in UTC")
                if "DTEND" in part:
                    self.assertGreater(part.decoded("DTEND"), part.decoded("DTSTART"))
                self.assertIn(part["STATUS"], ("TENTATIVE", "CONFIRMED", "CANCELLED"))
                self.assertNotIn(part["UID"], seen, f"{where}: two events have one UID")
                seen.add(part["UID"])
        self.assertEqual(icalendar.Calendar.from_ical(calendar.to_ical()), calendar)
        return calendar

    def round_of(self, calendar, lang, where):
        found = [e for e in calendar.walk("VEVENT") if e.decoded("DTSTART") == START]
        self.assertEqual(len(found), 1, where)
        event = found[0]
        said_in = phrases("api/dialogue", lang)
        self.assertEqual(event.decoded("DTEND"), END)
        self.assertEqual(upright(event["SUMMARY"]), filled(said_in["calendar.round"], world.SERIES[lang], 1))
        self.assertEqual(event["SUMMARY"].params["LANGUAGE"], lang)
        self.assertEqual(event["DESCRIPTION"], said_in["mode.third-venue"])
        self.assertEqual(event["LOCATION"], PLACE)
        self.assertEqual(event["STATUS"], "CONFIRMED")
        return event

    def test_calendars_in_every_language(self):
        for lang in LANGUAGES:
            with self.subTest(lang):
                read = [self.parsed(self.story.calendars[lang, party], f"calendar of {party} in {lang}") for party in ("xn", "xs")]
                for calendar, party in zip(read, ("xn", "xs")):
                    said_in = phrases("api/dialogue", lang)
                    self.assertEqual(words(calendar["X-WR-CALNAME"], lang), words(filled(said_in["calendar"], party), lang))
                    self.assertNotIn("METHOD", calendar)
                    self.round_of(calendar, lang, party)
                    due = [e for e in calendar.walk("VEVENT") if e.decoded("DTSTART") == DUE]
                    self.assertEqual([upright(e["SUMMARY"]) for e in due], [filled(said_in["calendar.action"], world.SERIES[lang], ACTION[lang])])
                    self.assertEqual(len(calendar.walk("VEVENT")), 2, "the time that was not accepted is gone")
                self.assertEqual([e.to_ical() for e in read[0].walk("VEVENT")], [e.to_ical() for e in read[1].walk("VEVENT")], "the two sides' calendars differ")

    def test_times_that_are_only_proposed(self):
        events = self.parsed(self.story.calendars["proposed"], "while two times are proposed").walk("VEVENT")
        self.assertEqual([e["STATUS"] for e in events], ["TENTATIVE"] * 2)

    def test_invitations_in_every_language(self):
        for lang in LANGUAGES:
            with self.subTest(lang):
                calendar = self.parsed(self.story.invitations[lang], f"invitation in {lang}")
                self.assertEqual(calendar["METHOD"], "REQUEST")
                self.assertEqual(len(calendar.walk("VEVENT")), 1)
                event = self.round_of(calendar, lang, "invitation")
                # RFC 5546, 3.2.2: an invitation has an organizer, those invited, a sequence.
                self.assertEqual(event["ORGANIZER"], "mailto:" + ORGANIZER)
                self.assertEqual([str(a) for a in event["ATTENDEE"]], ["mailto:" + a for a in INVITED])
                self.assertEqual({a.params["RSVP"] for a in event["ATTENDEE"]}, {"TRUE"})
                self.assertGreaterEqual(event["SEQUENCE"], 0)
                feed = icalendar.Calendar.from_ical(self.story.calendars[lang, "xn"])
                self.assertIn(event["UID"], [e["UID"] for e in feed.walk("VEVENT")], "the invitation would add a second event to a calendar that has the feed")

    # One for each of those invited, with the event as RFC 6047 has it: beside the words, and again as a file.
    def test_letters_that_invite_in_every_language(self):
        self.assertEqual(len(self.story.letters), len(LANGUAGES) * len(INVITED))
        ids = set()
        for n, (to, data) in enumerate(self.story.letters):
            lang, invited = LANGUAGES[n // len(INVITED)], INVITED[n % len(INVITED)]
            with self.subTest(lang=lang, to=invited):
                letter = email.message_from_bytes(data, policy=email.policy.default)
                self.assertEqual([p.defects for p in letter.walk()], [[] for _ in letter.walk()])
                self.assertEqual((to, str(letter["To"]).strip("<>"), str(letter["Reply-To"]).strip("<>")), ([invited], invited, ORGANIZER))
                ids.add(letter["Message-ID"])
                self.assertTrue(letter["Date"] and letter["From"] and letter["MIME-Version"])
                said_in = phrases("api/dialogue", lang)
                self.assertEqual(upright(letter["Subject"]).strip(), filled(said_in["calendar.round"], world.SERIES[lang], 1))
                parts = {p.get_content_type(): p for p in letter.walk() if not p.is_multipart()}
                self.assertEqual(set(parts), {"text/plain", "text/calendar", "application/ics"})
                self.assertIn(filled(said_in["invitation.round"], world.SERIES[lang], 1), upright(parts["text/plain"].get_content()))
                self.assertEqual(parts["text/calendar"].get_param("method"), "REQUEST")
                self.assertEqual(parts["text/calendar"].get_content_charset(), "utf-8")
                for part in ("text/calendar", "application/ics"):
                    self.assertEqual(parts[part].get_payload(decode=True), self.story.invitations[lang], part)
        self.assertEqual(len(ids), len(self.story.letters))

    # PDF.

    def read(self, path):
        """The words of a PDF in the order in which poppler reads them. qpdf finds nothing to say against the file; it has no secrets, scripts or fonts that are elsewhere."""
        code, out, err = said("qpdf", "--check", path)
        self.assertEqual(code, 0, f"qpdf --check {path.name}: {out}{err}")
        self.assertIn("No syntax or stream encoding errors found", out)
        code, out, err = said("pdfinfo", path)
        self.assertEqual((code, err), (0, ""), f"pdfinfo {path.name}")
        about = dict(line.split(":", 1) for line in out.splitlines() if ":" in line)
        self.assertGreater(int(about["Pages"]), 0)
        self.assertIn("A4", about["Page size"])
        for what in ("Encrypted", "JavaScript"):
            self.assertEqual(about[what].strip(), "no", f"{path.name}: {what}")
        code, out, err = said("pdffonts", path)
        self.assertEqual((code, err), (0, ""), f"pdffonts {path.name}")
        fonts = [line.split() for line in out.splitlines()[2:]]
        self.assertGreater(len(fonts), 0)
        for font in fonts:
            self.assertEqual(font[-5:-2], ["yes", "yes", "yes"], f"{path.name}: a font is not in it, or its letters cannot be copied: {' '.join(font)}")
        code, out, err = said("pdftotext", "-enc", "UTF-8", path, "-")
        self.assertEqual((code, err), (0, ""), f"pdftotext {path.name}")
        return plain(out)

    def test_originals_of_both_sides(self):
        for (what, party, langs), path in [(k, p) for k, p in self.story.pdfs.items() if k[0] == "original"]:
            with self.subTest(path.name):
                text = self.read(path)
                for kind, provision, texts in world.AGREEMENT:
                    for lang in langs:
                        self.worded(text, lang, provision or kind, texts[lang], False, path.name)
                for lang in langs:
                    first, second = world.NAMES[party][lang], world.NAMES["xs" if party == "xn" else "xn"][lang]
                    self.assertIn(first, text)
                    self.assertIn(second, text)
                self.assertRegex(text, "[0-9a-f]{64}", "the digest is not in the foot")

    def test_drafts_with_their_brackets(self):
        for (what, party, langs), path in [(k, p) for k, p in self.story.pdfs.items() if k[0] == "rolling"]:
            with self.subTest(path.name):
                text = self.read(path)
                for lang in langs:
                    for kind, provision, texts in world.AGREEMENT:
                        self.worded(text, lang, provision or kind, texts[lang], True, path.name)
                self.assertRegex(text, r"\[XN: ")

    def test_a_case_in_every_language(self):
        text = self.read(self.story.pdfs["case"])
        self.holds(text, OBSERVED, "ru", "the words of the originator")
        self.assertIn("203.0.113.9", text)
        for lang in LANGUAGES:
            form, own = phrases("regimes/communications", lang), phrases("transcript", lang)
            form |= phrases("regimes/incidents", lang)
            for phrase in (own["title"], form["clarification"], form["clarification.fixed"], form["clarification.observation"], form["acknowledgement"], own["standing.acknowledged"]):
                self.holds(text, phrase, lang, f"the case in {lang}")

    def reviewed(self, text, langs, where):
        """The papers of the round say in both languages what they are of, under the heads that every such pack has, with the case and the action."""
        for lang in langs:
            own = phrases("yearly", lang)
            self.holds(text, filled(own["title"], world.SERIES[lang], 1), lang, where)
            for key in own:
                if key.startswith("section."):
                    self.holds(text, own[key], lang, f"{where}, {key}")
            self.holds(text, ACTION[lang], lang, where)
        self.assertIn(self.story.case, text)

    def test_papers_of_a_round_in_print(self):
        for (what, party, langs), path in [(k, p) for k, p in self.story.pdfs.items() if k[0] == "pack"]:
            with self.subTest(path.name):
                self.reviewed(self.read(path), langs, path.name)

    def test_papers_of_a_round_are_the_same_bytes_at_both_ends(self):
        for one, other in zip(self.story.packs[:3], self.story.packs[3:]):
            self.assertEqual(one.read_bytes(), other.read_bytes(), f"{one.name}, {other.name}")

    # DOCX.

    # Each part is XML to another parser, and whatever a part or the list of types names is there.
    def test_documents_are_whole(self):
        for path in self.story.docx.values():
            with self.subTest(path.name), zipfile.ZipFile(path) as file:
                self.assertIsNone(file.testzip())
                names = file.namelist()
                self.assertEqual(len(names), len(set(names)), "a part stands twice")
                out = pathlib.Path(self.folder, path.stem)
                file.extractall(out)
                code, _, err = said("xmllint", "--noout", "--nonet", *(out / n for n in names))
                self.assertEqual((code, err), (0, ""), "xmllint")
                types = tree.fromstring(file.read("[Content_Types].xml"))
                listed = {e.get("PartName", "").lstrip("/") or "." + e.get("Extension") for e in types}
                for name in names:
                    self.assertTrue(name == "[Content_Types].xml" or name in listed or "." + name.rpartition(".")[2] in listed, f"{name} has no type")
                for name in (n for n in names if n.endswith(".rels")):
                    base = pathlib.PurePosixPath(name).parent.parent
                    for link in tree.fromstring(file.read(name)):
                        self.assertNotEqual(link.get("TargetMode"), "External", f"{name} leads outside: {link.get('Target')}")
                        self.assertIn(str(base / link.get("Target").lstrip("/")), names, f"{name} leads nowhere")

    @classmethod
    def opened(cls):
        """All documents, as LibreOffice has understood them: by name, the root of its own format. It is started once, with a home of its own."""
        if not hasattr(cls, "converted"):
            home, out = pathlib.Path(cls.folder, "home"), pathlib.Path(cls.folder, "opened")
            env = {**os.environ, "HOME": str(home)}
            home.mkdir()
            done = subprocess.run(["soffice", f"-env:UserInstallation=file://{home}/office", "--headless", "--convert-to", "fodt", "--outdir", out, *cls.story.docx.values()],
                                  env=env, capture_output=True, text=True, timeout=120, check=False)
            cls.converted = {path.stem: tree.parse(path).getroot() for path in out.glob("*.fodt")}
            if done.returncode != 0 or len(cls.converted) != len(cls.story.docx):
                raise AssertionError(f"LibreOffice: exit code {done.returncode}, {sorted(cls.converted)}\n{done.stdout}{done.stderr}")
        return cls.converted

    def test_another_word_processor_opens_them(self):
        for name, root in self.opened().items():
            if name.startswith("pack"):
                continue
            with self.subTest(name):
                text = shown(root)
                for kind, provision, texts in world.AGREEMENT:
                    for lang in LANGUAGES:
                        self.worded(text, lang, provision or kind, texts[lang], name.startswith("rolling"), name)

    def test_papers_of_a_round_open_there_too(self):
        opened = self.opened()
        for (what, party, langs), path in [(k, p) for k, p in self.story.docx.items() if k[0] == "pack"]:
            with self.subTest(path.name):
                self.reviewed(plain(shown(opened[path.stem])), langs, path.name)

    def test_what_the_other_wants_is_a_tracked_change_by_it(self):
        authors = {}
        for name, root in self.opened().items():
            authors[name] = {e.findtext(".//{http://purl.org/dc/elements/1.1/}creator") for e in root.iter(OFFICE + "changed-region")}
        self.assertEqual(authors, {name: {"XS"} if name.startswith("rolling") else set() for name in authors})


if __name__ == "__main__":
    result = unittest.main(verbosity=2, exit=False).result
    bad = len({getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors})
    print(f"{max(0, result.testsRun - bad)} passed, {bad} failed")  # the last line, which ./test reads
    sys.exit(bad > 0 or result.testsRun == 0)
