package org.authservice.mail;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.authservice.settings.StartFailure;

/** Where the mails' texts come from: a file of {@code MAIL_TEMPLATES_DIR}, else one of ours. */
final class TemplateFiles {
  static final String LAYOUT = "layout.html";
  private static final Set<String> OURS = Set.of("en", "es", "ar");
  private static final String RESOURCES = "/mail/";

  private final Optional<Path> folder;
  private final Set<String> languages = new TreeSet<>(OURS);

  TemplateFiles(Optional<Path> folder) {
    this.folder = folder;
    folder.ifPresent(it -> {
      try (Stream<Path> entries = Files.list(it)) {
        entries.filter(Files::isDirectory).forEach(dir -> languages.add(name(dir)));
      } catch (IOException unreadable) {
        throw new StartFailure("MAIL_TEMPLATES_DIR: cannot read " + it, unreadable);
      }
    });
  }

  /** The languages there are, as tags (RFC 5646). */
  Set<String> languages() {
    return languages;
  }

  /** The files of the operator, relative to their folder. */
  Stream<Path> overrides() {
    if (folder.isEmpty()) {
      return Stream.empty();
    }
    try (Stream<Path> files = Files.walk(folder.get(), 3)) {
      return files
          .filter(Files::isRegularFile)
          .map(folder.get()::relativize)
          .sorted()
          .toList()
          .stream();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  /** Where that file of the operator is. */
  Path path(String file) {
    return folder.orElse(Path.of("")).resolve(file);
  }

  boolean has(String file) {
    return (folder.isPresent() && Files.isRegularFile(path(file)))
        || Templates.class.getResource(RESOURCES + file) != null;
  }

  String read(String file) {
    try {
      if (folder.isPresent() && Files.isRegularFile(path(file))) {
        return Files.readString(path(file)).replace("\r\n", "\n");
      }
      try (InputStream resource = Templates.class.getResourceAsStream(RESOURCES + file)) {
        if (resource == null) {
          throw new IllegalStateException("no mail template " + file);
        }
        return new String(resource.readAllBytes(), StandardCharsets.UTF_8);
      }
    } catch (IOException unreadable) {
      throw new UncheckedIOException(file, unreadable);
    }
  }

  private static String name(Path path) {
    return path.getFileName().toString();
  }
}
