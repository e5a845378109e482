import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A PostgreSQL for the run, with durable commits: an installed one, or the one that tests embed. As
 * root an installed one runs as the account postgres, since the server refuses root.
 *
 * @param programs where pgbench is, if anywhere
 */
record Postgres(Server server, int port, Optional<Path> programs, AutoCloseable stop, String description)
    implements AutoCloseable {

  static Postgres start(Path work) throws Exception {
    Optional<Path> programs = installation();
    return programs.isPresent() ? installed(work, programs.get()) : embedded();
  }

  private static Postgres installed(Path work, Path programs) throws Exception {
    Path folder = Files.createDirectories(work.resolve("postgres"));
    if (isRoot()) {
      run(List.of("chmod", "755", work.toString()));
      run(List.of("chown", "postgres", folder.toString()));
    }
    run(owned(programs, "initdb", "-D", folder + "/data", "-A", "trust", "-U", "postgres"));
    int port = Server.freePort();
    Server server =
        Server.start(
            owned(
                programs, "postgres", "-D", folder + "/data", "-p", "" + port,
                "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + folder,
                "-c", "synchronous_commit=on", "-c", "fsync=on", "-c", "max_connections=200",
                "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB"),
            Map.of(),
            work.resolve("postgres.log"),
            port,
            () -> connects(port));
    return new Postgres(server, port, Optional.of(programs), server, "PostgreSQL of " + programs);
  }

  private static Postgres embedded() throws Exception {
    EmbeddedPostgres postgres =
        EmbeddedPostgres.builder()
            .setServerConfig("synchronous_commit", "on")
            .setServerConfig("fsync", "on")
            .setServerConfig("max_connections", "200")
            .setServerConfig("shared_buffers", "256MB")
            .setServerConfig("max_wal_size", "4GB")
            .start();
    String data = sql(postgres.getPort(), "postgres", "SHOW data_directory");
    long pid = Long.parseLong(Files.readAllLines(Path.of(data, "postmaster.pid")).getFirst().strip());
    Server server = Server.of(ProcessHandle.of(pid).orElseThrow(), postgres.getPort());
    return new Postgres(
        server, postgres.getPort(), Optional.empty(), postgres, "embedded PostgreSQL, plain JDBC for pgbench");
  }

  /** The settings of a service on that database. */
  Map<String, String> environment(String database, Map<String, String> more) {
    Map<String, String> environment = new LinkedHashMap<>(more);
    environment.put("DATABASE_URL", "postgresql://postgres:x@127.0.0.1:" + port + "/" + database);
    return environment;
  }

  void create(String database) throws SQLException {
    sql("postgres", "CREATE DATABASE " + database);
  }

  Connection connect(String database) throws SQLException {
    return connect(port, database);
  }

  /** Runs a statement and gives what it returns: a line per row, its first column. */
  String sql(String database, String text) throws SQLException {
    return sql(port, database, text);
  }

  /**
   * Single-row updates per second by 32 clients: by pgbench or, as the embedded server comes
   * without it, by plain JDBC.
   */
  double updatesPerSecond(String database, int rows, double seconds) throws Exception {
    long first = Accounts.first(this, database);
    return programs.isPresent()
        ? Updates.byPgbench(programs.get(), port, database, first, rows, seconds)
        : Updates.byJdbc(this, database, first, rows, seconds);
  }

  @Override
  public void close() throws Exception {
    stop.close();
  }

  private static Optional<Path> installation() {
    for (int version = 18; version >= 13; version--) {
      for (String place : List.of("/usr/lib/postgresql/%d/bin", "/usr/pgsql-%d/bin", "/opt/homebrew/opt/postgresql@%d/bin")) {
        Path folder = Path.of(place.formatted(version));
        if (Files.isExecutable(folder.resolve("pgbench"))) {
          return Optional.of(folder);
        }
      }
    }
    return Optional.empty();
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private static List<String> owned(Path programs, String program, String... arguments) {
    List<String> command = new ArrayList<>();
    if (isRoot()) {
      command.addAll(List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"));
    }
    command.add(programs.resolve(program).toString());
    command.addAll(List.of(arguments));
    return command;
  }

  private static boolean connects(int port) {
    try (Connection _ = connect(port, "postgres")) {
      return true;
    } catch (SQLException notYet) {
      return false;
    }
  }

  private static Connection connect(int port, String database) throws SQLException {
    return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/" + database, "postgres", "x");
  }

  private static String sql(int port, String database, String text) throws SQLException {
    try (Connection connection = connect(port, database);
        Statement statement = connection.createStatement()) {
      StringBuilder lines = new StringBuilder();
      if (statement.execute(text)) {
        ResultSet results = statement.getResultSet();
        while (results.next()) {
          lines.append(lines.isEmpty() ? "" : "\n").append(results.getString(1));
        }
      }
      return lines.toString();
    }
  }

  static String run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + "\n" + out);
    }
    return out;
  }
}
