package org.authservice.settings;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.Supplier;
import org.authservice.secret.Secret;

/** A secret that is made once and kept in a file only its owner reads. */
public final class SecretFile {
  /** The file of a generated {@code SECRET_KEY}, in the working folder. */
  public static final String NAME = ".auth-secret";

  private SecretFile() {}

  /**
   * Reads the secret, or makes it; starts that race agree on one.
   *
   * @throws StartFailure when the file can be neither read nor made
   */
  public static Secret open(Path file, Supplier<Secret> fresh) {
    try {
      if (!Files.exists(file)) {
        create(file, fresh.get());
      }
      return Secret.of(Files.readString(file).strip());
    } catch (IOException failure) {
      throw new StartFailure(
          "Cannot read or make %s (%s).".formatted(file, failure.getMessage()), failure);
    }
  }

  private static void create(Path file, Secret secret) throws IOException {
    Path draft =
        Files.createTempFile(
            file.toAbsolutePath().getParent(),
            file.getFileName().toString(),
            ".new",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      Files.write(draft, secret.reveal().getBytes(StandardCharsets.UTF_8));
      // A hard link appears whole or not at all, and never over another's.
      Files.createLink(file, draft);
    } catch (FileAlreadyExistsException otherWasFaster) {
      return;
    } catch (UnsupportedOperationException noLinks) {
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(draft);
    }
  }
}
