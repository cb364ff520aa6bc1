"""Two parties on this machine that have files to give to each other, and nothing else. Everything is said to them by the program's own commands."""

import json
import os
import pathlib
import re
import socketserver
import subprocess
import threading
import unicodedata

LANGUAGES = ("ar", "en", "es", "fr", "ru", "zh")

NAMES = {
    "xn": {"ar": "نورثلاند", "en": "Northland", "es": "Norlandia", "fr": "le Norland", "ru": "Нордландия", "zh": "北国"},
    "xs": {"ar": "ساوثلاند", "en": "Southland", "es": "Sudlandia", "fr": "le Sudland", "ru": "Саутландия", "zh": "南国"},
}

# Of a series. Whatever has a meaning of its own in a calendar stands in them, and lines that must be folded within a character.
SERIES = {
    "ar": "المشاورات، بشأن أمن تكنولوجيا المعلومات والاتصالات؛ نورثلاند وساوثلاند",
    "en": "Consultations, on \\ICT; security: \"xn\" & <xs>, as agreed at the meeting of the high representatives",
    "es": "Consultas, sobre la seguridad de las tecnologías; Norlandia y Sudlandia",
    "fr": "Consultations, sur la sécurité des technologies; le Norland et le Sudland",
    "ru": "Консультации, по вопросам безопасности; Нордландия и Саутландия, по договорённости высоких представителей",
    "zh": "信息通信技术安全磋商,北国与南国;每半年轮流在两国首都举行一次，必要时以视频方式举行",
}

# Words of an agreement: (kind, provision, texts). Short enough for a sentence to stand on a line, and in all that runs both ways.
AGREEMENT = (
    ("title", "", {
        "ar": "اتفاق بشأن الحوادث", "en": "Agreement on Incidents", "es": "Acuerdo sobre incidentes", "fr": "Accord relatif aux incidents",
        "ru": "Соглашение об инцидентах", "zh": "关于事件的协定"}),
    ("article", "a1", {"ar": "الإخطار", "en": "Notice", "es": "Notificación", "fr": "Notification", "ru": "Уведомление", "zh": "通报"}),
    ("paragraph", "a1.1", {
        "ar": "يخطر كل طرف الطرف الآخر دون تأخير.", "en": "Each Party shall notify without delay.", "es": "Cada Parte notificará sin demora.",
        "fr": "Chaque Partie notifie sans délai.", "ru": "Каждая Сторона уведомляет незамедлительно.", "zh": "每一方应立即通报。"}),
    ("paragraph", "a1.2", {
        "ar": "تظل الاتصالات سرية.", "en": "Communications remain confidential.", "es": "Las comunicaciones son confidenciales.",
        "fr": "Les communications sont confidentielles.", "ru": "Сообщения не разглашаются.", "zh": "通信予以保密。"}),
    ("closing", "end", {
        "ar": "حرر من نسختين أصليتين.", "en": "Done in two originals.", "es": "Hecho en dos ejemplares.", "fr": "Fait en double exemplaire.",
        "ru": "Совершено в двух экземплярах.", "zh": "本协定一式两份。"}),
)

# What the other side would rather have in the first paragraph.
OTHERWISE = {
    "ar": "يخطر كل طرف الطرف الآخر في غضون يوم.", "en": "Each Party shall notify within a day.", "es": "Cada Parte notificará en un día.",
    "fr": "Chaque Partie notifie en un jour.", "ru": "Каждая Сторона уведомляет в течение суток.", "zh": "每一方应在一日内通报。",
}


class Party:
    """A party with its home, on which commands are run."""

    def __init__(self, program, folder, name):
        self.program, self.folder, self.name, self.pouches = program, folder, name, 0

    def run(self, *command):
        """Runs a command that must succeed, and gives what it prints."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("DETENTE_")}
        done = subprocess.run([self.program, "--home", self.name, "--key-file", self.name + ".key", *command], cwd=self.folder, env=env, capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{self.name}: detente {' '.join(command)}: exit code {done.returncode}\n{done.stderr.decode()}")
        return done.stdout

    def ask(self, *command):
        """Runs a command, and reads the JSON that it prints."""
        return json.loads(self.run(*command, "--json"))

    def found(self):
        self.run("init", "--party", self.name, "--roots", "1", "--need", "1", *(f"--name={lang}={text}" for lang, text in NAMES[self.name].items()),
                 "--language=ru" if self.name == "xs" else "--language=en", "--language=en" if self.name == "xs" else "--language=ru")

    def mails(self, server):
        """Has the node hand its mail to a server."""
        config = pathlib.Path(self.folder, self.name, "config.toml")
        before, section, after = config.read_text("utf-8").partition("[call.mail]\n")
        for name, value in (("server", server.address), ("security", "none"), ("from", f"watch@{self.name}.example")):
            after = re.sub(rf'(?m)^(\s*){name} = ".*"$', rf'\1{name} = "{value}"', after, count=1)
        config.write_text(before + section + after, "utf-8")

    def trust(self, other):
        """Takes the other's charter. Its words are the other's to read out; here one script plays both officers."""
        other.run("charter", "export", "-o", other.name + ".charters")
        self.run("charter", "import", other.name + ".charters")
        self.run("charter", "confirm", other.name, *other.ask("charter", "show")["words"]["en"])

    def tell(self, other):
        """Gives the other all that it lacks, in a file."""
        self.pouches += 1
        pouch = f"{self.name}-{self.pouches}.detente-pouch"
        self.run("pouch", "export", other.name, "-o", pouch)
        other.run("pouch", "import", pouch)


class MailServer(socketserver.ThreadingTCPServer):
    """A mail server on loopback that takes every letter (RFC 5321). letters are pairs of those it is for and its bytes."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Mail)
        self.letters = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return "127.0.0.1:%d" % self.server_address[1]


class _Mail(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 loopback")
        to = []
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.say("354 go on")
                letter = []
                while (line := self.rfile.readline()) not in (b"", b".\r\n"):
                    letter.append(line[1:] if line.startswith(b".") else line)
                self.server.letters.append((to, b"".join(letter)))
                to = []
            elif verb == b"RCPT":
                to.append(line.partition(b"<")[2].partition(b">")[0].decode())
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            self.say("250 ok")


def marked():
    """The agreement as marked text."""
    lines = ["# detente instrument, marked text 1", "kind: treaty", "nature: political", "languages: " + " ".join(LANGUAGES)]
    for kind, provision, texts in AGREEMENT:
        lines += ["", f"== {kind} {provision}".rstrip(), *(f"[{lang}] {texts[lang]}" for lang in LANGUAGES)]
    return "\n".join(lines) + "\n"


def plain(text):
    """A text as it is compared: letters that were joined for print told apart, and a space for what only says which way they run."""
    return "".join(" " if unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI") else c for c in unicodedata.normalize("NFKC", text))


def words(text, lang):
    """What of a text must be found elsewhere: its words, and in Chinese, which parts none, its characters. Full stops are left out: programs that read Arabic
    from a page do not agree on which side of a line they stand."""
    found = re.findall(r"\w+", plain(text))
    return list("".join(found)) if lang == "zh" else found
