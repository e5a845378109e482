package org.authservice;

import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.authservice.database.Migrations;
import org.authservice.operations.DatabaseClock;
import org.authservice.operations.LogProvider;
import org.authservice.operations.Logging;
import org.authservice.secret.Secrets;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.SettingsReader;
import org.authservice.settings.StartFailure;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bin/auth}: the service and its operator's commands. */
@Command(
    name = "auth",
    description = "Auth Service: accounts, passwords, e-mailed codes, sessions, tokens.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    subcommands = {
      Main.Migrate.class,
      ClockCommand.class,
      SettingsCommand.class,
      UsersCommand.class,
      SessionsCommand.class,
      KeysCommand.class,
      MailCommand.class,
      BackupCommand.class,
      RestoreCommand.class,
      AuditCommand.class
    })
public final class Main {
  /** The exit code of a command that failed. */
  static final int FAILED = 1;

  private Main() {}

  /** Runs a command; the exit code is 0, 1 (failed) or 2 (usage). */
  public static void main(String[] args) {
    spareSearches();
    leaveNoCoreIdle();
    int code = run(args);
    Logging.flush();
    System.exit(code);
  }

  /**
   * Tells libraries what they would take a tenth of a second each to find out: Logback opens every
   * jar for a configuration, and Jetty builds all of JMX for the size of a reference and lists what
   * the JDK knows of a thousand locales, of which nothing here is written in.
   */
  private static void spareSearches() {
    Properties known = System.getProperties(); // what an operator sets stays
    known.putIfAbsent("slf4j.provider", LogProvider.class.getName());
    known.putIfAbsent("slf4j.internal.verbosity", "WARN"); // it would tell that on each start
    known.putIfAbsent("org.eclipse.jetty.util.referencesPerCacheLine", "16");
    known.putIfAbsent("java.locale.providers", "HOST");
  }

  /**
   * One more thread than cores carries virtual threads: one of them often waits for the system
   * while it is written to a socket, or for its core. Must be set before the first of them begins.
   */
  private static void leaveNoCoreIdle() {
    int carriers = Runtime.getRuntime().availableProcessors() + 1;
    System.getProperties()
        .putIfAbsent("jdk.virtualThreadScheduler.parallelism", Integer.toString(carriers));
  }

  /** Runs a command and returns its exit code. */
  static int run(String... args) {
    try {
      if (args.length > 0 && args[0].equals("serve") && args.length == 1) {
        // Without the command line's reflection, for the sake of a quick start.
        return serve(Clock.systemUTC());
      }
      return new CommandLine(new Main())
          .addSubcommand(new Serve())
          .setExecutionExceptionHandler((failure, command, parsed) -> failed(failure))
          .execute(args.length == 0 ? new String[] {"--help"} : args);
    } catch (StartFailure failure) {
      return failed(failure);
    }
  }

  private static int failed(Exception failure) {
    if (!(failure instanceof StartFailure)) {
      System.err.println(failure.getClass().getSimpleName() + ": " + failure.getMessage());
      return FAILED;
    }
    System.err.println(failure.getMessage());
    return FAILED;
  }

  private static Path folder() {
    return Path.of("").toAbsolutePath();
  }

  /** Reads the settings for a command, whose standard output is its own. */
  static SettingsReader.Result read() {
    Logging.silence();
    return SettingsReader.look(System.getenv(), folder(), Secrets.secure());
  }

  /**
   * Serves until the process is asked to end.
   *
   * @param machine this machine's clock, which need not be right
   */
  public static int serve(Clock machine) {
    var read = SettingsReader.read(System.getenv(), folder(), Secrets.secure());
    Logging.configure(read.settings().logs());
    var service =
        AuthService.start(read.settings(), folder(), new DatabaseClock(machine), Secrets.secure());
    var stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  service.close();
                  Logging.flush();
                  stopped.countDown();
                },
                "shutdown"));
    announce(service, read);
    try {
      stopped.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    return 0;
  }

  private static void announce(AuthService service, SettingsReader.Result read) {
    // Of a JSON log, each line on the standard output is one object.
    var out = read.settings().logs().json() ? System.err : System.out;
    out.println();
    out.println(
        "Settings (those not named here have their defaults; bin/auth settings shows all):");
    read.effective().stream()
        .filter(setting -> !setting.origin().equals("default"))
        .forEach(setting ->
            out.printf("  %s=%s  (%s)%n", setting.name(), setting.value(), setting.origin()));
    read.warnings().forEach(warning -> out.println("Warning: " + warning));
    out.println("Database:    " + where(read.settings().database()));
    out.println("Listening:   " + service.publicBaseUrl());
    service
        .managementPort()
        .ifPresent(port -> out.println("Management:  http://localhost:" + port + "/metrics"));
    service.devMailUrl().ifPresent(url -> out.println("Mail:        " + url));
    if (service.lack().isPresent()) {
      out.println("Not ready:   " + service.lack().get());
    } else if (read.settings().listener().docs()) {
      out.println("Next:        open " + service.publicBaseUrl() + "/docs and register an account");
    }
    out.println();
    out.flush();
  }

  private static String where(DatabaseSettings database) {
    return switch (database.location()) {
      case DatabaseSettings.Sqlite(var file, var temporary) ->
          file + (temporary ? " (gone at exit)" : "");
      case DatabaseSettings.Postgres postgres ->
          "PostgreSQL " + postgres.host() + ":" + postgres.port() + "/" + postgres.database();
    };
  }

  /** {@code --version}. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"auth-service " + (version == null ? "(not packaged)" : version)};
    }
  }

  /** {@code bin/auth serve}. */
  @Command(
      name = "serve",
      description = "Runs the service until it is stopped.",
      mixinStandardHelpOptions = true)
  static final class Serve implements Callable<Integer> {
    @Override
    public Integer call() {
      return serve(Clock.systemUTC());
    }
  }

  /** {@code bin/auth migrate}. */
  @Command(
      name = "migrate",
      description = "Brings the database up to date.",
      mixinStandardHelpOptions = true)
  static final class Migrate implements Callable<Integer> {
    @Option(names = "--dry-run", description = "Print what would run, and change nothing.")
    private boolean dryRun;

    @Override
    public Integer call() {
      var migrations = new Migrations(read().settings().database());
      if (!dryRun) {
        System.out.println(migrations.migrate() + " migration(s) run.");
        return 0;
      }
      List<Migrations.Pending> pending = migrations.dryRun();
      for (Migrations.Pending migration : pending) {
        System.out.printf("-- V%s %s%n", migration.version(), migration.description());
        migration.locks().forEach(Migrate::print);
        System.out.println(migration.sql());
      }
      System.out.println("-- " + pending.size() + " migration(s) pending.");
      return 0;
    }

    private static void print(Migrations.Locked table) {
      System.out.printf(
          Locale.ROOT,
          "-- locks %s (about %,d rows, %,d KB) %s: %s%n",
          table.lock().table(),
          table.rows(),
          table.bytes() / 1024,
          table.lock().mode(),
          table.lock().mode().effect());
    }
  }
}
