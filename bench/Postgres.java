import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A PostgreSQL for the run: an installed one, durable commits on, everything else as it comes. As
 * root its processes run as the account postgres, since the server refuses root.
 */
final class Postgres implements AutoCloseable {
  private final Path binaries;
  private final Path folder;
  private final int port;
  private final Server server;

  Postgres(Path work) throws IOException, InterruptedException {
    this.binaries = binaries();
    this.folder = work.resolve("postgres");
    this.port = Server.freePort();
    Files.createDirectories(folder);
    if (isRoot()) {
      run(List.of("chown", "postgres", folder.toString()));
    }
    run(asPostgres("initdb", "-D", folder + "/data", "-A", "trust", "-U", "postgres"));
    this.server =
        Server.start(
            asPostgres(
                "postgres", "-D", folder + "/data", "-p", "" + port,
                "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + folder,
                "-c", "synchronous_commit=on", "-c", "fsync=on", "-c", "max_connections=200",
                "-c", "shared_buffers=256MB"),
            Map.of(),
            work.resolve("postgres.log"),
            port,
            () -> quiet(List.of(binaries.resolve("pg_isready").toString(), "-h", "127.0.0.1", "-p", "" + port)));
  }

  String url(String database) {
    return "postgresql://postgres:x@127.0.0.1:" + port + "/" + database;
  }

  Server server() {
    return server;
  }

  /** Runs SQL by psql and gives what it prints, bare. */
  String sql(String database, String text) throws IOException, InterruptedException {
    return run(
        List.of(binaries.resolve("psql").toString(), "-h", "127.0.0.1", "-p", "" + port, "-U",
            "postgres", "-d", database, "-v", "ON_ERROR_STOP=1", "-qAt", "-c", text));
  }

  /** Transactions per second of a pgbench script with 32 clients. */
  double pgbench(String database, Path script, double seconds)
      throws IOException, InterruptedException {
    String out =
        run(
            List.of(binaries.resolve("pgbench").toString(), "-h", "127.0.0.1", "-p", "" + port,
                "-U", "postgres", "-n", "-M", "prepared", "-c", "32", "-j", "2", "-T",
                "" + Math.max(1, Math.round(seconds)), "-f", script.toString(), database));
    return out.lines()
        .filter(line -> line.startsWith("tps = "))
        .map(line -> Double.parseDouble(line.split(" ")[2]))
        .findFirst()
        .orElseThrow(() -> new IOException(out));
  }

  @Override
  public void close() {
    server.close();
  }

  private static Path binaries() throws IOException {
    for (int version = 18; version >= 13; version--) {
      for (String place : List.of("/usr/lib/postgresql/%d/bin", "/usr/pgsql-%d/bin", "/opt/homebrew/opt/postgresql@%d/bin")) {
        Path folder = Path.of(place.formatted(version));
        if (Files.isExecutable(folder.resolve("pgbench"))) {
          return folder;
        }
      }
    }
    throw new IOException("no PostgreSQL with pgbench is installed (Debian: apt install postgresql)");
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private List<String> asPostgres(String program, String... arguments) {
    List<String> command = new ArrayList<>();
    if (isRoot()) {
      command.addAll(List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"));
    }
    command.add(binaries.resolve(program).toString());
    command.addAll(List.of(arguments));
    return command;
  }

  private static boolean quiet(List<String> command) {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException | InterruptedException failure) {
      return false;
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
