# Sourced by the scripts beside it: finds the project, a JDK of version 25 or newer, and builds.

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

jdk_version() { # prints the major version of the JDK in folder $1, or 0
  [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" -o -n "${runtime_is_enough:-}" ] || { echo 0; return; }
  "$1/bin/java" -version 2>&1 | sed -n '1s/.*version "\([0-9]*\).*/\1/p' | grep . || echo 0
}

find_jdk() { # sets JAVA_HOME
  local candidate java
  java=$(command -v java || true)
  for candidate in "${JAVA_HOME:-}" \
    "${java:+$(dirname "$(dirname "$(readlink -f "$java" 2>/dev/null || echo /none/none/none)")")}" \
    /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* "$HOME"/.sdkman/candidates/java/* \
    "$HOME"/.jdks/* "$HOME"/.asdf/installs/java/* /Library/Java/JavaVirtualMachines/*/Contents/Home \
    /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
    if [ -n "$candidate" ] && [ "$(jdk_version "$candidate")" -ge 25 ]; then
      export JAVA_HOME=$candidate
      return
    fi
  done
  echo "No JDK 25 or newer was found: install one (for instance Eclipse Temurin 25) or set JAVA_HOME to it." >&2
  exit 1
}

require_maven() {
  if ! command -v mvn >/dev/null; then
    echo "Maven was not found: install Maven 3.8 or newer (Debian: apt install maven)." >&2
    exit 1
  fi
}

build() { # builds the jar when a source is newer; one build at a time
  local jar=$root/target/auth-service.jar
  [ -d "$root/src/main" ] || return 0 # a distribution is built already
  if stale "$jar"; then
    require_maven
    mkdir -p "$root/target"
    (
      if command -v flock >/dev/null; then flock 9; fi
      if stale "$jar"; then
        echo "Building (the first time fetches libraries) ..." >&2
        cd "$root" # only in this subshell
        if ! mvn -B -ntp -Dquick -Dmaven.test.skip=true package 9>&- 2>&1 |
          grep --line-buffered -E '^\[INFO\] (---|Building)|^\[INFO\] Total time|ERROR|BUILD' >&2 ||
          stale "$jar"; then
          echo "The build failed; to see why: cd $root && JAVA_HOME=$JAVA_HOME mvn -Dquick -Dmaven.test.skip=true package" >&2
          exit 1
        fi
      fi
    ) 9>"$root/target/.build-lock"
  fi
}

stale() {
  [ ! -f "$1" ] || [ ! -d "$root/target/lib" ] ||
    [ -n "$(find "$root/src/main" "$root/pom.xml" -newer "$1" -type f -print -quit)" ]
}

run_auth() { # replaces this shell by the JVM, in the caller's folder
  local jar=$root/target/auth-service.jar
  [ -d "$root/src/main" ] || jar=$root/lib/auth-service.jar
  # shellcheck disable=SC2086 # JAVA_OPTS is a list of words
  exec "$JAVA_HOME/bin/java" -XX:+UseSerialGC -XX:+UseCompactObjectHeaders -Xmx192m \
    --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    ${JAVA_OPTS:-} -jar "$jar" "$@"
}
