package org.authservice;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.ToIntFunction;
import org.authservice.account.Account;
import org.authservice.account.EmailAddress;
import org.authservice.secret.Secret;
import org.authservice.settings.StartFailure;
import org.authservice.signin.AccountAdministration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code bin/auth users}. */
@Command(
    name = "users",
    description = "Creates, shows, switches off and on, and erases accounts.",
    mixinStandardHelpOptions = true)
final class UsersCommand {
  @Command(
      description = "Creates a verified account; reads its password from the standard input.",
      mixinStandardHelpOptions = true)
  int create(@Parameters(paramLabel = "EMAIL") String email) throws IOException {
    EmailAddress address = address(email);
    Secret password = passwordFromInput();
    return with(administration ->
        switch (administration.create(address, password)) {
          case AccountAdministration.Creation.Created(var account) ->
              Operator.done("created account " + account.id());
          case AccountAdministration.Creation.EmailTaken _ ->
              Operator.refused("an account has this address already");
          case AccountAdministration.Creation.PasswordRejected(var reason) ->
              Operator.refused(reason);
        });
  }

  @Command(description = "Shows an account.", mixinStandardHelpOptions = true)
  int show(@Parameters(paramLabel = "EMAIL") String email) {
    return withAccount(
        email,
        (administration, account) -> {
          administration
              .show(account)
              .profile()
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
                ? Operator.done("switched off; its sessions have ended")
                : Operator.done("it was switched off already"));
  }

  @Command(description = "Switches an account on again.", mixinStandardHelpOptions = true)
  int reactivate(@Parameters(paramLabel = "EMAIL") String email) {
    return withAccount(
        email,
        (administration, account) ->
            administration.reactivate(account)
                ? Operator.done("switched on")
                : Operator.done("it was switched on already"));
  }

  @Command(
      description = "Erases an account: what is personal goes, its id stays taken.",
      mixinStandardHelpOptions = true)
  int delete(@Parameters(paramLabel = "EMAIL") String email) {
    return withAccount(
        email,
        (administration, account) -> {
          administration.delete(account);
          return Operator.done("erased account " + account.id());
        });
  }

  /** What is done with an account. */
  interface Work {
    int on(AccountAdministration administration, Account account);
  }

  static int withAccount(String email, Work work) {
    EmailAddress address = address(email);
    return with(administration -> {
      Optional<Account> account = administration.find(address);
      return account.isPresent()
          ? work.on(administration, account.get())
          : Operator.refused("no account has this address");
    });
  }

  static int with(ToIntFunction<AccountAdministration> work) {
    return Operator.offline(service -> work.applyAsInt(service.administration()));
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
}
