package org.authservice;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.ToIntFunction;
import org.authservice.account.Account;
import org.authservice.account.EmailAddress;
import org.authservice.database.Database;
import org.authservice.database.Installations;
import org.authservice.database.Migrations;
import org.authservice.operations.Logging;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.Settings;
import org.authservice.settings.SettingsReader;
import org.authservice.settings.StartFailure;
import org.authservice.signin.AccountAdministration;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code bin/auth}: the service and its operator's commands. */
@Command(
    name = "auth",
    description = "Auth Service: accounts, passwords, e-mailed codes, sessions, tokens.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    subcommands = {Main.Migrate.class, Main.ShowSettings.class, Main.Users.class})
public final class Main {
  private static final int FAILED = 1;

  private Main() {}

  /** Runs a command; the exit code is 0, 1 (failed) or 2 (usage). */
  public static void main(String[] args) {
    System.exit(run(args));
  }

  /** Runs a command and returns its exit code. */
  static int run(String... args) {
    try {
      if (args.length > 0 && args[0].equals("serve") && args.length == 1) {
        return serve(); // without the command line's reflection, for the sake of a quick start
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

  private static SettingsReader.Result read() {
    var result = SettingsReader.read(System.getenv(), folder(), Secrets.secure());
    Logging.configure(result.settings().logs());
    return result;
  }

  private static int serve() {
    SettingsReader.Result read = read();
    var service = AuthService.start(read.settings(), folder(), Clock.systemUTC(), Secrets.secure());
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
    var out = System.out;
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
    if (read.settings().listener().docs()) {
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
      return serve();
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
        System.out.printf(
            "-- V%s %s%n%s%n", migration.version(), migration.description(), migration.sql());
      }
      System.out.println("-- " + pending.size() + " migration(s) pending.");
      return 0;
    }
  }

  /** {@code bin/auth settings}. */
  @Command(
      name = "settings",
      description = "Shows every setting in effect, secrets masked, and where each came from.",
      mixinStandardHelpOptions = true)
  static final class ShowSettings implements Callable<Integer> {
    @Override
    public Integer call() {
      SettingsReader.Result read = read();
      for (SettingsReader.Effective setting : read.effective()) {
        System.out.printf("%-30s %s  (%s)%n", setting.name(), setting.value(), setting.origin());
      }
      read.warnings().forEach(warning -> System.out.println("Warning: " + warning));
      System.out.println(resolved(read.settings()));
      return 0;
    }

    /** What {@code auto} comes to depends on where the database is from. */
    private static String resolved(Settings settings) {
      boolean newFile =
          settings.database().location() instanceof DatabaseSettings.Sqlite(var file, var _)
              && !Files.exists(file);
      if (newFile) {
        return autos("a new database", false, Optional.empty());
      }
      try (Database database = Database.open(settings.database(), new SimpleMeterRegistry())) {
        return new Installations(database, Clock.systemUTC(), Secrets.secure())
            .find()
            .map(it ->
                autos(
                    it.adopted() ? "the Python service's database" : "a database of its own",
                    it.adopted(),
                    it.legacyTokenSeenAt()))
            .orElse("auto: the service has not run on this database yet");
      } catch (StartFailure unreachable) {
        return "auto: not known, " + unreachable.getMessage();
      }
    }

    private static String autos(String what, boolean adopted, Optional<Instant> legacySeen) {
      return "On %s, auto means PASSWORD_HASH=%s and LEGACY_TOKENS=%s (last one seen: %s)"
          .formatted(
              what,
              adopted ? "bcrypt" : "argon2id",
              adopted ? "true until 30 days after the last one was seen" : "false",
              legacySeen.map(Instant::toString).orElse("never"));
    }
  }

  /** {@code bin/auth users}. */
  @Command(
      name = "users",
      description = "Creates, shows, switches off and on, and erases accounts.",
      mixinStandardHelpOptions = true)
  static final class Users {
    @Command(
        description = "Creates a verified account; reads its password from the standard input.",
        mixinStandardHelpOptions = true)
    int create(@Parameters(paramLabel = "EMAIL") String email) throws IOException {
      EmailAddress address = address(email);
      Secret password = passwordFromInput();
      return with(administration ->
          switch (administration.create(address, password)) {
            case AccountAdministration.Creation.Created(var account) ->
                done("created account " + account.id());
            case AccountAdministration.Creation.EmailTaken _ ->
                refused("an account has this address already");
            case AccountAdministration.Creation.PasswordRejected(var reason) -> refused(reason);
          });
    }

    @Command(description = "Shows an account.", mixinStandardHelpOptions = true)
    int show(@Parameters(paramLabel = "EMAIL") String email) {
      return withAccount(
          email,
          (administration, account) -> {
            account
                .json()
                .members()
                .forEach((name, value) -> System.out.printf("%-12s %s%n", name, value));
            return 0;
          });
    }

    @Command(
        description = "Switches an account off and ends its sessions everywhere.",
        mixinStandardHelpOptions = true)
    int deactivate(@Parameters(paramLabel = "EMAIL") String email) {
      return withAccount(
          email,
          (administration, account) ->
              administration.deactivate(account)
                  ? done("switched off; its sessions have ended")
                  : done("it was switched off already"));
    }

    @Command(description = "Switches an account on again.", mixinStandardHelpOptions = true)
    int reactivate(@Parameters(paramLabel = "EMAIL") String email) {
      return withAccount(
          email,
          (administration, account) ->
              administration.reactivate(account)
                  ? done("switched on")
                  : done("it was switched on already"));
    }

    @Command(
        description = "Erases an account: what is personal goes, its id stays taken.",
        mixinStandardHelpOptions = true)
    int delete(@Parameters(paramLabel = "EMAIL") String email) {
      return withAccount(
          email,
          (administration, account) -> {
            administration.delete(account);
            return done("erased account " + account.id());
          });
    }

    /** What is done with an account. */
    private interface Work {
      int on(AccountAdministration administration, Account account);
    }

    private static int withAccount(String email, Work work) {
      EmailAddress address = address(email);
      return with(administration -> {
        Optional<Account> account = administration.find(address);
        return account.isPresent()
            ? work.on(administration, account.get())
            : refused("no account has this address");
      });
    }

    private static int with(ToIntFunction<AccountAdministration> work) {
      Settings settings = read().settings();
      try (AuthService service =
          AuthService.offline(settings, Clock.systemUTC(), Secrets.secure())) {
        return work.applyAsInt(service.administration());
      }
    }

    private static EmailAddress address(String email) {
      return EmailAddress.parse(email)
          .orElseThrow(() -> new StartFailure(email + " is not an e-mail address"));
    }

    private static Secret passwordFromInput() throws IOException {
      System.err.println("Password (one line on the standard input):");
      var reader = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      String line = reader.readLine();
      if (line == null || line.isEmpty()) {
        throw new StartFailure("no password was given on the standard input");
      }
      return Secret.of(line);
    }

    private static int done(String message) {
      System.out.println(message);
      return 0;
    }

    private static int refused(String message) {
      System.err.println(message);
      return FAILED;
    }
  }
}
