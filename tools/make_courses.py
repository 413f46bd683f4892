#!/usr/bin/env python3
"""Invents an online school for examples/courses: courses.csv and events.csv.

usage: tools/make_courses.py FOLDER [--learners 1500] [--days 180] [--until 2026-03-01] [--seed 1]

Learners follow one or two subjects, watch the lessons of a course, look at the page of the next one and enrol in it; a few wander, a few
cancel. The last event lies before --until (default: today), so that `beckon run` plans for now. Only the standard library is needed.
"""
import argparse
import csv
import datetime
import os
import random

SUBJECTS = [  # path, Chinese, titles of a path from easy to hard
    ("Programming > Python", "Python 编程", ["First steps", "Functions and files", "Testing", "Web services", "Large programs"]),
    ("Programming > Web", "网页开发", ["Pages", "Styles", "Scripts", "Components", "Shops"]),
    ("Data > Statistics", "统计学", ["Counting", "Probability", "Tests", "Regression", "Experiments"]),
    ("Data > Machine learning", "机器学习", ["Trees", "Networks", "Sequences", "Recommenders"]),
    ("Languages > German", "德语", ["A1", "A2", "B1", "B2"]),
    ("Languages > Chinese", "汉语", ["HSK 1", "HSK 2", "HSK 3", "HSK 4"]),
    ("Design > Drawing", "绘画", ["Lines", "Light", "Figures"]),
    ("Music > Guitar", "吉他", ["Chords", "Songs", "Solos"]),
    ("Money > Saving", "理财", ["A budget", "Funds", "Pensions"]),
    ("Money > Debt", "债务", ["Reading letters", "A plan to get out"]),
]
ZONES = {"en": ["Europe/Berlin", "Europe/London", "America/New_York"], "zh": ["Asia/Shanghai"]}


def make_courses(rng):
    """Course id, title, Chinese title, subject, fee; and the paths as lists of ids."""
    rows, paths = [], []
    for subject, chinese, titles in SUBJECTS:
        path, fee = [], rng.choice([29, 39, 49, 59])
        for level, title in enumerate(titles, 1):
            course = subject.split(" > ")[1].lower().replace(" ", "-") + f"-{level}"
            rows.append([course, f"{subject.split(' > ')[1]}: {title}", f"{chinese} {level}", subject, f"{fee + 20 * level}.00"])
            path.append(course)
        paths.append(path)
    return rows, paths


class Learner:
    def __init__(self, number, paths, fees, rng):
        self.rng, self.paths, self.fees = rng, paths, fees
        self.name = f"learner-{number:05d}"
        self.language = "zh" if rng.random() < 0.3 else "en"
        self.zone = rng.choice(ZONES[self.language])
        self.subjects = rng.sample(range(len(paths)), rng.choice([1, 1, 2]))
        self.level = {s: rng.choice([0, 0, 0, 1]) for s in self.subjects}  # courses already done elsewhere
        self.lessons_left = {}  # course in progress → lessons to come
        self.activity = rng.choice([0.08, 0.2, 0.35])
        self.hour = rng.choice([8, 12, 19, 20, 21])

    def row(self, at, what, course, fee="", code=""):
        return [self.name, f"{self.name}@example.test", self.language, self.zone, at.strftime("%Y-%m-%dT%H:%M:%SZ"), what, course, fee, code]

    def next_course(self):
        """The next step of one of his paths; sometimes anything at all."""
        if self.rng.random() < 0.12:
            return self.rng.choice(self.rng.choice(self.paths))
        open_steps = [self.paths[s][self.level[s]] for s in self.subjects if self.level[s] < len(self.paths[s])]
        return self.rng.choice(open_steps) if open_steps else None

    def enrol(self, at, course):
        rows = [self.row(at, "enrolled", course, self.fees[course], "LEARN10" if self.rng.random() < 0.03 else "")]
        if self.rng.random() < 0.04:
            return rows + [self.row(at + datetime.timedelta(hours=self.rng.randint(2, 70)), "enrolment_cancelled", course, self.fees[course])]
        self.lessons_left[course] = self.rng.randint(5, 12)
        for s in self.subjects:
            if course in self.paths[s]:
                self.level[s] = max(self.level[s], self.paths[s].index(course) + 1)
        return rows

    def day(self, morning):
        if self.rng.random() > self.activity:
            return []
        at = morning + datetime.timedelta(hours=self.hour, minutes=self.rng.randrange(60), seconds=self.rng.randrange(60))
        rows = []
        for course in list(self.lessons_left):
            for _ in range(min(self.lessons_left[course], self.rng.randint(1, 3))):
                rows.append(self.row(at, "lesson_viewed", course))
                at += datetime.timedelta(minutes=self.rng.randint(5, 25))
                self.lessons_left[course] -= 1
            if self.lessons_left[course] == 0:
                del self.lessons_left[course]
        course = self.next_course()
        if course is not None and len(self.lessons_left) < 2 and self.rng.random() < 0.5:
            rows.append(self.row(at, "course_page_viewed", course))
            if course not in self.lessons_left and self.rng.random() < (0.25 if not self.lessons_left else 0.06):
                rows += self.enrol(at + datetime.timedelta(minutes=3), course)
        return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--learners", type=int, default=1500)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--until", type=datetime.date.fromisoformat, default=datetime.date.today(), help="no event on or after this day (UTC)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    courses, paths = make_courses(rng)
    fees = {row[0]: row[4] for row in courses}
    start = datetime.datetime.combine(arguments.until, datetime.time()) - datetime.timedelta(days=arguments.days)
    rows = []
    for number in range(arguments.learners):
        learner = Learner(number, paths, fees, rng)
        for day in range(arguments.days):
            rows += learner.day(start + datetime.timedelta(days=day))
    last = arguments.until.isoformat()
    rows = sorted((row for row in rows if row[4] < last), key=lambda row: (row[4], row[0]))
    os.makedirs(arguments.folder, exist_ok=True)
    for name, header, lines in (("courses.csv", ["course", "title", "title_zh", "subject", "fee"], courses),
                                ("events.csv", ["learner", "email", "language", "timezone", "when", "what", "course", "fee", "code"], rows)):
        with open(os.path.join(arguments.folder, name), "w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(lines)
    enrolled = sum(row[5] == "enrolled" for row in rows)
    print(f"make_courses: {len(courses)} courses, {arguments.learners} learners, {len(rows):,} events, {enrolled:,} enrolments")


if __name__ == "__main__":
    main()
