// What nbgrader's templates call in attributes, which the policy of the page forbids.
document.addEventListener("click", function (event) {
    var element = event.target.closest("[data-call]");
    var calls = {
        createAssignmentModal: function () {
            createAssignmentModal();
            $("#add-assignment-modal .modal-body").append($("<p/>").text(
                "This makes a name and an empty folder. Notebooks are put there, into source/ and that name in the " +
                "course folder; a module is written as source/NN_name.py. Then press Generate."));
        },
        createStudentModal: function () { createStudentModal(); },
        toggleAllNames: function () { toggleAllNames(); },
        toggle_name: function (on) { toggle_name(on); }
    };
    var name = element && element.getAttribute("data-call");
    if (Object.hasOwn(calls, name)) { calls[name](element.getAttribute("data-with") === "true"); }
});

// What nbgrader's page would not tell of an answer: that a due date stays as the course file has it.
$(document).ajaxSuccess(function (_, answer) {
    var notice = answer.getResponseHeader("X-Tito-Notice");
    if (notice) { createModal("notice-modal", "Due date", $("<p/>").text(notice)); }
});

// In a service of a hub, files are shown by the service itself, in a tab of their own.
linkTo = function (type, path) {
    var parts = path.split("/").filter(function (part) { return part && part !== "."; });
    var url = {{ files_address | tojson }} + parts.map(encodeURIComponent).join("/");
    return function (_, el) {
        return $(el).attr("href", url).attr("target", "_blank")[0];
    };
};
