"""One-shot step in the Airflow image: the database's schema, then the administrator. Safe to repeat.

The administrator's password is what the file says after every run; one changed in the web interface is set
back. It is read from the file, since arguments and variables are visible to everyone who can inspect
containers. Environment: ``AIRFLOW_ADMIN_USERNAME``, ``AIRFLOW_ADMIN_PASSWORD_FILE``.
"""

import os
import subprocess
import sys
from pathlib import Path

_ROLE = "Admin"


def migrate_database() -> None:
    """Bring the schema of Airflow and of its auth manager to the image's version."""
    subprocess.run(["airflow", "db", "migrate"], check=True)


def ensure_administrator(username: str, password: str) -> str:
    """Create the user, or set its role and password where they differ, and return what was done."""
    # Airflow is heavy to import and reads the schema then, so not before the migration.
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
    from werkzeug.security import check_password_hash

    with get_application_builder() as builder:
        manager = builder.sm
        role = manager.find_role(_ROLE)
        user = manager.find_user(username=username)
        if user is None:
            created = manager.add_user(username, "Platform", "Admin", f"{username}@localhost", role, password)
            if not created:
                message = f"the auth manager refused to create the user {username!r}"
                raise RuntimeError(message)
            return "created"
        changed = []
        if role not in user.roles or not user.active:
            user.roles, user.active = [*{*user.roles, role}], True
            manager.update_user(user)
            changed.append("role")
        if not check_password_hash(user.password, password):
            manager.reset_password(user.id, password)
            changed.append("password")
        return f"{' and '.join(changed)} set" if changed else "unchanged"


def main() -> int:
    """Run both steps; the exit code is 0 only if both ended well."""
    username = os.environ["AIRFLOW_ADMIN_USERNAME"]
    password = Path(os.environ["AIRFLOW_ADMIN_PASSWORD_FILE"]).read_text().strip()
    try:
        migrate_database()
        print(f"administrator {username!r}: {ensure_administrator(username, password)}", flush=True)
    except (subprocess.CalledProcessError, RuntimeError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
