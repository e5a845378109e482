"""What the Python service does with its database, by its rules and with its libraries.

usage: python_service.py DATABASE_URL SECRET_KEY COMMAND ARGUMENT...

  issue USER_ID [AGO]        prints an access and a refresh token, made so many seconds ago
  access TOKEN               prints "accepted for ID" or "refused: why"
  refresh TOKEN              the same; leaves the token as it is
  logout TOKEN               blacklists a refresh token
  code EMAIL PURPOSE CODE    stores a code, as mailing one does
  login EMAIL PASSWORD       prints "accepted for ID" or "refused: why"
"""

import sqlite3
import sys
import uuid
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import bcrypt
from jose import JWTError, jwt


class Database:
    """Either engine, with ? for parameters; each statement commits."""

    def __init__(self, url: str):
        self.postgres = not url.startswith("sqlite")
        if self.postgres:
            import pg8000.dbapi

            it = urlsplit(url)
            self.connection = pg8000.dbapi.connect(
                it.username, it.hostname, it.path[1:], it.port, it.password
            )
        else:
            self.connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=5)

    def run(self, sql: str, *values):
        cursor = self.connection.cursor()
        cursor.execute(sql.replace("?", "%s") if self.postgres else sql, values)
        rows = cursor.fetchall() if sql.startswith("SELECT") else []
        self.connection.commit()
        return rows

    def time(self, moment: datetime, zoned: bool):
        """As SQLAlchemy writes it."""
        if not self.postgres:
            return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
        return moment if zoned else moment.replace(tzinfo=None)


def claims_of(token: str, kind: str) -> dict:
    claims = jwt.decode(token, key, algorithms=["HS256"])
    if ("jti" in claims) != (kind == "refresh"):
        raise JWTError(f"no {kind} token")
    if kind == "refresh" and database.run(
        "SELECT jti FROM invalidated_tokens WHERE jti = ?", claims["jti"]
    ):
        raise JWTError("blacklisted")
    active = database.run("SELECT is_active FROM users WHERE id = ?", int(claims["sub"]))
    if not active or not active[0][0]:
        raise JWTError("no such user")
    return claims


def issue(user_id: str, ago: str = "0"):
    now = datetime.now(timezone.utc) - timedelta(seconds=int(ago))
    print(jwt.encode({"exp": now + timedelta(minutes=30), "sub": user_id}, key, "HS256"))
    refresh = {"exp": now + timedelta(days=7), "sub": user_id, "jti": uuid.uuid4().hex}
    print(jwt.encode(refresh, key, "HS256"))


def check(kind: str, token: str):
    try:
        print(f"accepted for {claims_of(token, kind)['sub']}")
    except JWTError as refusal:
        print(f"refused: {refusal}")


def logout(token: str):
    claims = claims_of(token, "refresh")
    expires = datetime.fromtimestamp(claims["exp"], timezone.utc)
    database.run(
        "INSERT INTO invalidated_tokens (jti, user_id, expires_at, invalidated_at)"
        " VALUES (?, ?, ?, ?)",
        claims["jti"],
        int(claims["sub"]),
        database.time(expires, False),
        database.time(datetime.now(timezone.utc), False),
    )


def code(email: str, purpose: str, digits: str):
    expires = datetime.now(timezone.utc) + timedelta(minutes=10)
    [[user_id]] = database.run("SELECT id FROM users WHERE email = ?", email)
    database.run(
        "INSERT INTO otps (user_id, email, otp_code, purpose, expires_at) VALUES (?, ?, ?, ?, ?)",
        user_id,
        email,
        bcrypt.hashpw(digits.encode(), bcrypt.gensalt(4)).decode(),
        purpose,
        database.time(expires, True),
    )


def login(email: str, password: str):
    rows = database.run("SELECT id, hashed_password FROM users WHERE email = ?", email)
    if rows and bcrypt.checkpw(password.encode(), rows[0][1].encode()):
        print(f"accepted for {rows[0][0]}")
    else:
        print("refused: wrong")


url, key, command, *arguments = sys.argv[1:]
database = Database(url)
match command:
    case "issue":
        issue(*arguments)
    case "access" | "refresh":
        check(command, *arguments)
    case "logout":
        logout(*arguments)
    case "code":
        code(*arguments)
    case "login":
        login(*arguments)
    case _:
        sys.exit(__doc__)
