package org.authservice.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** The pieces of code in {@code docs/verify-tokens.md}, to be run as they stand there. */
public final class Snippets {
  private static final Path PAGE = Path.of("docs/verify-tokens.md");

  private Snippets() {}

  /** The code that the page gives under that file name. */
  public static String code(String name) {
    try {
      var snippet =
          Pattern.compile("<!-- " + Pattern.quote(name) + " -->\n```\\w+\n(.*?)```", Pattern.DOTALL)
              .matcher(Files.readString(PAGE));
      assertThat(snippet.find()).as(name).isTrue();
      return snippet.group(1);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Writes the code into a folder, under its name. */
  public static Path write(String name, Path folder) {
    try {
      return Files.writeString(folder.resolve(name), code(name));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
