CREATE TABLE funcmap (funcid INTEGER PRIMARY KEY AUTOINCREMENT, funcname VARCHAR(255) NOT NULL UNIQUE);
CREATE TABLE job (
    jobid INTEGER PRIMARY KEY AUTOINCREMENT,
    funcid INTEGER NOT NULL,
    arg MEDIUMBLOB,
    uniqkey VARCHAR(255) NULL,
    insert_time INTEGER,
    run_after INTEGER NOT NULL,
    grabbed_until INTEGER NOT NULL,
    priority SMALLINT,
    coalesce VARCHAR(255),
    UNIQUE (funcid, uniqkey)
);
CREATE INDEX job_run_after ON job (funcid, run_after);
CREATE INDEX job_coalesce ON job (funcid, coalesce);
CREATE TABLE note (jobid INTEGER NOT NULL, notekey VARCHAR(255), value MEDIUMBLOB, PRIMARY KEY (jobid, notekey));
CREATE TABLE error (
    error_time INTEGER NOT NULL, jobid INTEGER NOT NULL, message VARCHAR(255) NOT NULL, funcid INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX error_funcid ON error (funcid, error_time);
CREATE INDEX error_error_time ON error (error_time);
CREATE INDEX error_jobid ON error (jobid);
CREATE TABLE exitstatus (
    jobid INTEGER PRIMARY KEY NOT NULL, funcid INTEGER NOT NULL DEFAULT 0, status SMALLINT, completion_time INTEGER, delete_after INTEGER
);
CREATE INDEX exitstatus_funcid ON exitstatus (funcid);
CREATE INDEX exitstatus_delete_after ON exitstatus (delete_after);
