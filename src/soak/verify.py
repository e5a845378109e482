"""The Python service's rules for tokens, with the library it uses.

usage: verify.py access|refresh SECRET_KEY TOKEN
"""

import sys

from jose import JWTError, jwt

rule, key, token = sys.argv[1:]
try:
    claims = jwt.decode(token, key, algorithms=["HS256"])
except JWTError as error:
    print(f"refused: {error}")
else:
    if rule == "refresh" and "jti" not in claims:
        print("refused: no jti")
    elif rule == "access" and "jti" in claims:
        print("refused: a refresh token")
    else:
        print(f"accepted for {claims['sub']}")
