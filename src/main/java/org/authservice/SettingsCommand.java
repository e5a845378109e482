package org.authservice;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.authservice.database.Database;
import org.authservice.database.Installations;
import org.authservice.secret.Secrets;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.Settings;
import org.authservice.settings.SettingsReader;
import org.authservice.settings.StartFailure;
import picocli.CommandLine.Command;

/** {@code bin/auth settings}. */
@Command(
    name = "settings",
    description = "Shows every setting in effect, secrets masked, and where each came from.",
    mixinStandardHelpOptions = true)
final class SettingsCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    SettingsReader.Result read = Main.read();
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
