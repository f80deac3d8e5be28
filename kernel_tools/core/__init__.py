"""The ground floor: workspace, catalog database, artifact store, audit log, errors, figures and progress."""
