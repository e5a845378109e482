package org.authservice.settings;

import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.authservice.secret.Secret;
import org.authservice.settings.DatabaseSettings.Location;
import org.jspecify.annotations.Nullable;

/**
 * Database URLs as SQLAlchemy writes them. They are read by hand: {@link java.net.URI} refuses host
 * names with an underscore, and passwords that SQLAlchemy takes.
 */
final class DatabaseUrl {
  private static final Set<String> POSTGRES =
      Set.of("postgresql", "postgres", "postgresql+psycopg2", "postgresql+asyncpg");
  private static final int DEFAULT_PORT = 5432;
  private static final Pattern REST = Pattern.compile("([^/?]*)(?:/([^?]*))?(?:\\?(.*))?");
  private static final Pattern AUTHORITY =
      Pattern.compile(
          "(?:(?<user>[^:]*)(?::(?<password>.*))?@)?"
              + "(?<host>[A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(?::(?<port>[0-9]*))?");

  private DatabaseUrl() {}

  /** Where the URL points; relative files lie in the folder. */
  static Location parse(String url, Path folder) throws Unfit {
    int end = url.indexOf("://");
    String scheme = end < 0 ? "" : url.substring(0, end);
    if (scheme.equals("sqlite")) {
      return sqlite(url.substring(end + 3), folder);
    }
    if (POSTGRES.contains(scheme)) {
      return postgres(url.substring(end + 3));
    }
    throw new Unfit("it must begin with sqlite:// or postgresql://");
  }

  /** The URL without its passwords. */
  static String masked(String url) {
    return url.replaceFirst("(://[^:/@]*):.*@", "$1:****@")
        .replaceAll("(?i)(password=)[^&]*", "$1****");
  }

  private static Location sqlite(String rest, Path folder) throws Unfit {
    if (rest.isEmpty() || rest.equals("/:memory:")) {
      try {
        Path temporary = Files.createTempDirectory("auth-service");
        return new DatabaseSettings.Sqlite(temporary.resolve("auth.db"), true);
      } catch (IOException failure) {
        throw new Unfit("no temporary file can be made: " + failure.getMessage());
      }
    }
    if (!rest.startsWith("/") || rest.endsWith("/") || rest.indexOf('?') >= 0) {
      throw new Unfit("it must be sqlite:///relative/file or sqlite:////absolute/file");
    }
    // Three slashes: relative; four: absolute.
    Path file = folder.toAbsolutePath().resolve(rest.substring(1)).normalize();
    return new DatabaseSettings.Sqlite(file, false);
  }

  private static Location postgres(String rest) throws Unfit {
    var parts = REST.matcher(rest);
    if (!parts.matches()) {
      throw new Unfit("it must be one line: postgresql://user:password@host:port/database");
    }
    var authority = AUTHORITY.matcher(parts.group(1));
    if (!authority.matches()) {
      throw new Unfit("it names no host; in a password, write / ? % as %2F %3F %25");
    }
    String user = authority.group("user");
    String database = parts.group(2);
    if (user == null || user.isEmpty() || database == null || database.isEmpty()) {
      throw new Unfit("it must name user and database: postgresql://user:password@host/database");
    }
    String password = authority.group("password");
    return new DatabaseSettings.Postgres(
        authority.group("host"),
        port(authority.group("port")),
        decoded(database),
        decoded(user),
        Secret.of(password == null ? "" : decoded(password)),
        parameters(parts.group(3)));
  }

  private static int port(@Nullable String text) throws Unfit {
    if (text == null || text.isEmpty()) {
      return DEFAULT_PORT;
    }
    int port = text.length() > 5 ? 0 : Integer.parseInt(text);
    if (port < 1 || port > 65535) {
      throw new Unfit("its port must be from 1 to 65535");
    }
    return port;
  }

  private static Map<String, String> parameters(@Nullable String query) throws Unfit {
    Map<String, String> parameters = new LinkedHashMap<>();
    if (query != null) {
      for (String pair : query.split("&", -1)) {
        int equals = pair.indexOf('=');
        if (equals > 0) {
          parameters.put(decoded(pair.substring(0, equals)), decoded(pair.substring(equals + 1)));
        }
      }
    }
    return parameters;
  }

  private static String decoded(String text) throws Unfit {
    try {
      return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException broken) {
      throw new Unfit("a % in it is not followed by two hexadecimal digits; write it as %25");
    }
  }
}
