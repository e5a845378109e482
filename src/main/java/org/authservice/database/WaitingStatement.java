package org.authservice.database;

/** A caller that waits for its statement to be run together with others. */
final class WaitingStatement<T> extends Waiting<T> {
  private final Statement<T> statement;

  WaitingStatement(Statement<T> statement, Statement.Gathered gathered) {
    super(gathered.row());
    this.statement = statement;
  }

  Statement<T> statement() {
    return statement;
  }
}
