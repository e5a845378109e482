# Sourced by the scripts beside it: finds the project, a JDK of version 25 or newer, and builds.

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

jdk_version() { # prints the major version of the JDK in folder $1, or 0
  [ -x "$1/bin/java" ] || { echo 0; return; }
  # A distribution only runs; what is built needs a compiler.
  if [ -d "$root/src/main" ] && [ ! -x "$1/bin/javac" ]; then echo 0; return; fi
  if [ -r "$1/release" ]; then # quicker than asking java itself
    sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" | grep . && return
  fi
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

build() { # builds what runs when a source is newer; one build at a time
  [ -d "$root/src/main" ] || return 0 # a distribution is built already
  if stale; then
    require_maven
    mkdir -p "$root/target"
    (
      if command -v flock >/dev/null; then flock 9; fi
      if stale; then
        echo "Building (the first time fetches libraries) ..." >&2
        cd "$root" # only in this subshell
        touch target/.build-started
        if ! mvn -B -Dquick -Dmaven.test.skip=true package 9>&- 2>&1 | progress >&2; then
          echo "The build failed; to see why: cd $root && JAVA_HOME=$JAVA_HOME mvn -Dquick -Dmaven.test.skip=true package" >&2
          exit 1
        fi
        # A service that runs keeps its own jar: Maven writes over its jar, a rename does not.
        mkdir -p target/run
        ln -sfn ../lib target/run/lib
        cp target/auth-service.jar target/run/next.jar
        touch -r target/.build-started target/run/next.jar # what changed meanwhile is newer
        mv -f target/run/next.jar target/run/auth-service.jar
        echo "  training a run for quicker starts" >&2
        rm -rf target/run/*.aot target/run/*.aot.*
        (source bin/.train && name_cache && train "$cache") >&2 || true
      fi
    ) 9>"$root/target/.build-lock"
  fi
}

progress() { # Maven's output in a few lines: what it does, how much it fetched, what is wrong
  awk '/^(\[INFO\] )?Downloaded from/ { if (++fetched % 50 == 0) print "  fetched " fetched " files"; fflush(); next }
    /^\[INFO\] --- / { sub(/^\[INFO\] --- /, "  "); sub(/ @ .*/, ""); print; fflush(); next }
    /ERROR|BUILD|Total time/ { print; fflush() }'
}

stale() {
  local jar=$root/target/run/auth-service.jar
  [ ! -f "$jar" ] || [ ! -d "$root/target/lib" ] ||
    # folders too: one that lost a file is newer
    [ -n "$(find "$root/src/main" "$root/pom.xml" -newer "$jar" -print -quit)" ]
}

# What compilers and hashing gave back is the system's again within ten seconds: glibc would keep it.
jvm_flags=(-XX:+UseSerialGC -XX:+UseCompactObjectHeaders -Xmx192m -XX:TrimNativeHeapInterval=10000
  --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow
  -Dstdout.encoding=UTF-8 -Dstderr.encoding=UTF-8)

name_cache() { # sets jar and cache: another jar or another JDK has another cache
  jar=$root/target/run/auth-service.jar
  [ -d "$root/src/main" ] || jar=$root/lib/auth-service.jar
  cache=${jar%.jar}-$(cksum "$jar" "$JAVA_HOME/release" 2>/dev/null | cksum | tr -d ' ').aot
}

run_auth() { # replaces this shell by the JVM, in the caller's folder
  local jar cache library aot=()
  name_cache
  # glibc would keep what was freed in an arena for each of many threads.
  export MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX:-2}
  # With other flags (JAVA_OPTS) the cache does not fit: the JVM starts without, and need not say so.
  if [ -f "$cache" ]; then aot=(-XX:AOTCache="$cache" '-Xlog:aot*=off' '-Xlog:cds*=off'); fi
  # Otherwise the driver unpacks its library, compares it byte by byte, and searches /tmp for older ones.
  for library in "$cache".lib/libsqlitejdbc.*; do
    if [ -r "$library" ]; then aot+=(-Dorg.sqlite.lib.path="$cache.lib" -Dorg.sqlite.tmpdir="$cache.lib"); fi
  done
  # shellcheck disable=SC2086 # JAVA_OPTS is a list of words
  exec "$JAVA_HOME/bin/java" "${jvm_flags[@]}" "${aot[@]}" ${JAVA_OPTS:-} -jar "$jar" "$@"
}
