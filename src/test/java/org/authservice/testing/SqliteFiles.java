package org.authservice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.authservice.database.Migrations;
import org.authservice.settings.DatabaseSettings;

/** SQLite files, each in a folder of its own; a migrated one is a copy of the first. */
final class SqliteFiles {
  private SqliteFiles() {}

  static TestDatabase empty() {
    return in(folder());
  }

  static TestDatabase migrated() {
    TestDatabase database = empty();
    try {
      Files.copy(Template.FILE, file(database));
      return database;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static TestDatabase in(Path folder) {
    Path file = folder.resolve("auth.db");
    return new TestDatabase(
        new DatabaseSettings(new DatabaseSettings.Sqlite(file, false), 10, true),
        "sqlite:///" + file,
        "jdbc:sqlite:" + file,
        () -> remove(folder));
  }

  private static Path file(TestDatabase database) {
    return ((DatabaseSettings.Sqlite) database.settings().location()).file();
  }

  private static Path folder() {
    try {
      return Files.createTempDirectory("auth-sqlite");
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static void remove(Path folder) {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(folder);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Migrated once per JVM. */
  private static final class Template {
    static final Path FILE = make();

    private static Path make() {
      TestDatabase database = empty();
      new Migrations(database.settings()).migrate();
      Runtime.getRuntime().addShutdownHook(new Thread(database::close));
      return file(database);
    }
  }
}
