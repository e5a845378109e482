package org.authservice.database;

import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The actions that wait for a transaction to commit. */
final class AfterCommit {
  private static final Logger log = LoggerFactory.getLogger(AfterCommit.class);

  private final List<Runnable> actions = new ArrayList<>(2);

  void add(Runnable action) {
    actions.add(action);
  }

  /** Forgets all actions: the work is run again. */
  void clear() {
    actions.clear();
  }

  /** Runs them in order. What was committed stays so: a failing one is logged, the rest run. */
  void run() {
    for (Runnable action : actions) {
      try {
        action.run();
      } catch (RuntimeException failure) {
        log.error("an action after a commit failed", failure);
      }
    }
  }
}
