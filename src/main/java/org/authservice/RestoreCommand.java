package org.authservice;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.authservice.database.Restoration;
import org.authservice.database.SqliteBackup;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.StartFailure;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code bin/auth restore}. */
@Command(
    name = "restore",
    description = "Brings a backup back, while no node runs.",
    mixinStandardHelpOptions = true)
final class RestoreCommand implements Callable<Integer> {
  private static final String UNDONE =
      "Logouts, password changes and deactivations since the backup are undone: do them again.";

  @Parameters(
      paramLabel = "FILE",
      arity = "0..1",
      description = "What bin/auth backup made of a SQLite database.")
  private @Nullable Path file;

  @Option(
      names = "--loaded",
      description =
          "The database was loaded by other means, such as pg_restore: only makes it safe to start"
              + " on.")
  private boolean loaded;

  @Option(
      names = "--force",
      description = "Replace a damaged SQLite file, of which nobody can tell whether it is in use.")
  private boolean force;

  @Override
  public Integer call() {
    if (loaded == (file != null)) {
      throw new StartFailure("name a FILE, or say --loaded", null);
    }
    DatabaseSettings database = Main.read().settings().database();
    if (file == null) {
      var restoration = new Restoration(database);
      restoration.requireNoNode();
      restoration.finish();
      return restored("ready to start on. " + UNDONE);
    }
    var sqlite = BackupCommand.sqlite(database, "use pg_restore, then bin/auth restore --loaded,");
    SqliteBackup.Restored restored = new SqliteBackup(sqlite).restore(file, force);
    restored
        .replaced()
        .ifPresent(kept -> System.out.println("The database before is kept as " + kept + "."));
    return restored(
        "restored %s: %s. %s".formatted(file, BackupCommand.told(restored.rows()), UNDONE));
  }

  /** A backup does not hold the key that its secrets are sealed with. */
  private static int restored(String message) {
    return Operator.withAnyKey(service -> {
      service.lack().ifPresent(lack -> System.err.println("Before you start it: " + lack));
      return Operator.done(message);
    });
  }
}
