package org.authservice;

import java.util.Optional;
import java.util.function.ToIntBiFunction;
import org.authservice.audit.SecurityEvent;
import org.authservice.operations.SecretKeys;
import org.authservice.secret.Keyring;
import org.authservice.settings.StartFailure;
import org.authservice.token.SigningKeys;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code bin/auth keys}. */
@Command(
    name = "keys",
    description = "Lists, rotates and revokes the keys that sign tokens; distrusts a secret key.",
    mixinStandardHelpOptions = true)
final class KeysCommand {
  @Command(
      description = "Lists secret keys and signing keys, without what is secret of them.",
      mixinStandardHelpOptions = true)
  int list() {
    return with((service, keys) -> {
      service.events().record(SecurityEvent.readByOperator("keys list", Optional.empty()));
      Keyring keyring = keys.keyring();
      System.out.printf("%-18s %-14s %s%n", "SECRET KEY", "HERE", "STATE");
      for (SecretKeys.Known key : keys.secretKeys().known()) {
        System.out.printf("%-18s %-14s %s%n", key.id(), place(key, keyring), state(key));
      }
      keys.signingKeys().ifPresent(KeysCommand::print);
      return 0;
    });
  }

  @Command(
      description = "Makes the next signing key; it signs an hour after it is published.",
      mixinStandardHelpOptions = true)
  int rotate(
      @Option(
              names = "--now",
              description =
                  "It signs at once: resource servers that cache the keys fail for a while.")
          boolean now) {
    return with((service, keys) -> {
      String kid = signingKeys(keys).rotate(now);
      return Operator.acted(
          service,
          SecurityEvent.Type.SIGNING_KEY_MADE,
          "made signing key " + kid + (now ? "; it signs" : "; it signs in an hour"));
    });
  }

  @Command(
      description = "Ends all tokens that a signing key signed; another signs at once if need be.",
      mixinStandardHelpOptions = true)
  int revoke(@Parameters(paramLabel = "KID") String kid) {
    return with((service, keys) ->
        signingKeys(keys).revoke(kid)
            ? Operator.acted(
                service,
                SecurityEvent.Type.SIGNING_KEY_REVOKED,
                "revoked; nodes refuse its tokens within seconds")
            : Operator.refused(
                "no signing key that could be revoked has this id; see: bin/auth keys list"));
  }

  @Command(
      description =
          "Ends all tokens that a leaked SECRET_KEY signed; it still decrypts. Another must sign"
              + " already.",
      mixinStandardHelpOptions = true)
  int distrust(
      @Parameters(paramLabel = "ID") String id,
      @Option(
              names = "--lost",
              description = "Nobody has the key any more: what it encrypted is given up.")
          boolean lost) {
    return with((service, keys) ->
        switch (keys.secretKeys().distrust(id, lost)) {
          case DONE ->
              Operator.acted(
                  service,
                  SecurityEvent.Type.SECRET_KEY_DISTRUSTED,
                  "distrusted; nodes refuse what it signed within seconds");
          case BEFORE -> Operator.done("it was distrusted already");
          case CURRENT ->
              Operator.refused(
                  "it signs: first put another into SECRET_KEY and it into SECRET_KEY_PREVIOUS");
          case ELSEWHERE ->
              Operator.refused(
                  "SECRET_KEY_PREVIOUS here lacks that key: run this with a node's settings, or say"
                      + " --lost when nobody has the key any more");
          case UNKNOWN -> Operator.refused("no secret key has this id; see: bin/auth keys list");
        });
  }

  private static void print(SigningKeys keys) {
    System.out.printf("%n%-45s %-10s %s%n", "SIGNING KEY", "ALGORITHM", "STATE");
    for (SigningKeys.Known key : keys.all()) {
      System.out.printf("%-45s %-10s %s%n", key.kid(), key.algorithm(), state(key));
    }
  }

  /** What is sealed without the installation's keys, no node could open. */
  private static SigningKeys signingKeys(KeyAdministration keys) {
    keys.secretKeys()
        .lack()
        .ifPresent(lack -> {
          throw new StartFailure(lack);
        });
    return keys.signingKeys()
        .orElseThrow(() ->
            new StartFailure(
                "SECRET_KEY itself signs: change it as docs/keys.md says, or set"
                    + " ALGORITHM=ES256"));
  }

  private static String place(SecretKeys.Known key, Keyring keyring) {
    if (!key.here()) {
      return "missing";
    }
    return key.id().equals(keyring.current().id()) ? "signs" : "verifies";
  }

  private static String state(SecretKeys.Known key) {
    return key.distrustedAt()
        .map(at -> "distrusted since " + at)
        .or(() -> key.neededUntil().map(until -> "needed until " + until))
        .orElse("has signed nothing yet");
  }

  private static String state(SigningKeys.Known key) {
    return switch (key.state()) {
      case SIGNS -> "signs since " + key.signsFrom();
      case PUBLISHED -> "published, signs from " + key.signsFrom();
      case VERIFIES -> "verifies, signed from " + key.signsFrom();
      case REVOKED -> "revoked at " + key.revokedAt().orElseThrow();
      case UNUSED -> "not used here: of another ALGORITHM, or under a secret key that is missing";
    };
  }

  private static int with(ToIntBiFunction<AuthService, KeyAdministration> work) {
    return Operator.withAnyKey(service -> work.applyAsInt(service, service.keys()));
  }
}
