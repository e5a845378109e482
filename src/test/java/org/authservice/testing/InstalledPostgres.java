package org.authservice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.authservice.secret.Secret;
import org.authservice.settings.DatabaseSettings;

/**
 * A server of the PostgreSQL that is installed on this machine, with all its programs, for tests of
 * what operators do with them.
 */
public final class InstalledPostgres implements AutoCloseable {
  private static final Path VERSIONS = Path.of("/usr/lib/postgresql");

  private final Path programs;
  private final Path folder;
  private final int port;
  private Path running;

  private InstalledPostgres(Path programs, Path folder, int port) {
    this.programs = programs;
    this.folder = folder;
    this.port = port;
    this.running = folder.resolve("data");
  }

  /** Starts a server with these lines in its configuration. */
  public static InstalledPostgres start(String... configuration) {
    InstalledPostgres server = installed();
    server.asOwner("initdb", "-D", server.data().toString(), "-A", "trust", "-U", "postgres");
    server.startOn(server.data(), configuration);
    return server;
  }

  /** Starts a server that repeats what this one commits (streaming replication). */
  public InstalledPostgres standby() {
    InstalledPostgres standby = installed();
    standby.asOwner(
        "pg_basebackup",
        "-h",
        "127.0.0.1",
        "-p",
        String.valueOf(port),
        "-U",
        "postgres",
        "-D",
        standby.data().toString(),
        "-R",
        "-c",
        "fast");
    standby.startOn(standby.data());
    return standby;
  }

  private static InstalledPostgres installed() {
    try {
      Path folder = Files.createTempDirectory("auth-postgres");
      run(List.of("chmod", "777", folder.toString()), Map.of());
      return new InstalledPostgres(newest(), folder, FreePort.find());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Where the server keeps its data. */
  public Path data() {
    return folder.resolve("data");
  }

  /** A folder that its owner may write to. */
  public Path folder() {
    return folder;
  }

  /** Starts the server on that data, with these lines in its configuration. */
  public void startOn(Path data, String... configuration) {
    running = data;
    List<String> options = new ArrayList<>(List.of("-p", String.valueOf(port), "-k", "''"));
    options.addAll(List.of("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"));
    for (String line : configuration) {
      options.addAll(List.of("-c", "'" + line + "'"));
    }
    asOwner(
        "pg_ctl",
        "-D",
        data.toString(),
        "-o",
        String.join(" ", options),
        "-l",
        folder.resolve("log").toString(),
        "-w",
        "start");
  }

  /** Stops the server on that data. */
  public void stop(Path data) {
    asOwner("pg_ctl", "-D", data.toString(), "-m", "fast", "-w", "stop");
  }

  /** A new database without tables. */
  public TestDatabase empty(String name) {
    asOwner("createdb", "-h", "127.0.0.1", "-p", String.valueOf(port), "-U", "postgres", name);
    return database(name);
  }

  /** A database that is there. */
  public TestDatabase database(String name) {
    String place = "127.0.0.1:" + port + "/" + name;
    return new TestDatabase(
        new DatabaseSettings(
            new DatabaseSettings.Postgres(
                "127.0.0.1", port, name, "postgres", Secret.of("postgres"), Map.of()),
            10,
            true),
        "postgresql://postgres:postgres@" + place,
        "jdbc:postgresql://" + place + "?user=postgres&password=postgres",
        () -> {});
  }

  /** Runs one of PostgreSQL's programs as the server's owner, who is not root. */
  public void asOwner(String program, String... arguments) {
    List<String> command = new ArrayList<>();
    if ("root".equals(System.getProperty("user.name"))) {
      command.addAll(List.of("runuser", "-u", "postgres", "--"));
    }
    command.add(programs.resolve(program).toString());
    command.addAll(List.of(arguments));
    run(command, Map.of());
  }

  /** Runs a line of shell with PostgreSQL's programs on its path and these variables set. */
  public void shell(String line, Map<String, String> variables) {
    run(
        List.of("bash", "-euc", "PATH=" + programs + ":$PATH; cd " + folder + "; " + line),
        variables);
  }

  @Override
  public void close() {
    try {
      if (Files.exists(running.resolve("postmaster.pid"))) {
        stop(running);
      }
    } finally {
      remove();
    }
  }

  private void remove() {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static Path newest() throws IOException {
    try (Stream<Path> versions = Files.list(VERSIONS)) {
      return versions
          .max(Comparator.comparingInt(it -> Integer.parseInt(it.getFileName().toString())))
          .orElseThrow()
          .resolve("bin");
    }
  }

  private static void run(List<String> command, Map<String, String> variables) {
    try {
      Path output = Files.createTempFile("auth-postgres", ".out");
      var builder =
          new ProcessBuilder(command)
              .directory(Path.of("/tmp").toFile())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile());
      builder.environment().putAll(variables);
      Process process = builder.start();
      if (!process.waitFor(120, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException("it does not end: " + command);
      }
      String said = Files.readString(output, StandardCharsets.UTF_8);
      Files.delete(output);
      if (process.exitValue() != 0) {
        throw new IllegalStateException(String.join(" ", command) + ": " + said);
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }
}
