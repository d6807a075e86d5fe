$("#autograde-all").click(function () {
    var button = $(this).prop("disabled", true).text("Autograding...");
    var done = function (id, title, message, log) {
        button.prop("disabled", false).text("Autograde all");
        createLogModal(id, title, message, log).on("hidden.bs.modal", function () { location.reload(); });
    };
    $.post(base_url + "/formgrader/api/assignment/" + encodeURIComponent(assignment_id) + "/autograde")
        .done(function (answer) {
            answer = JSON.parse(answer);
            if (answer.success) {
                done("success-modal", "Success", "Autograded '" + assignment_id + "'.", answer.log);
            } else {
                done("error-modal", "Error", "Not all of '" + assignment_id + "' was graded.", answer.log);
            }
        })
        .fail(function () {
            done("error-modal", "Error", "'" + assignment_id + "' was not graded: the service did not answer.");
        });
});
