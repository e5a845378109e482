package org.authservice.account;

import org.authservice.database.Statement;

/** The columns of {@code users} that make an {@link Account}, for a store that reads one too. */
public final class AccountColumns {
  /** Those of a {@link Profile}, under names that no other table's columns have. */
  public static final String PROFILE =
      """
      users.id AS account_id, email AS account_email, full_name AS account_name,
      is_active AS account_active, is_verified AS account_verified,
      users.created_at AS account_created_at, updated_at AS account_updated_at
      """;

  /** The others. */
  public static final String REST =
      """
      hashed_password AS account_password, password_confirmed AS account_password_confirmed,
      credentials_version AS account_credentials, tokens_valid_from AS account_tokens_from
      """;

  /** All. */
  public static final String ALL = PROFILE + ", " + REST;

  private AccountColumns() {}

  /** The account of a row with all those columns. */
  public static Statement.RowReader<Account> reader() {
    return AccountStore::account;
  }

  /** The profile of a row with its columns. */
  public static Statement.RowReader<Profile> profileReader() {
    return AccountStore::profile;
  }
}
